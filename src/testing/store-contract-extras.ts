import { newOperation } from "../core/session-id.ts";
import type { Key } from "../core/session-record.ts";
import type { SessionStore, StoreNotice } from "../core/session-store.ts";
import { check, same } from "./store-contract-assert.ts";
import { HOUR, MINUTE, type Scene, START, type StoreCase } from "./store-contract-scene.ts";

/** What a store declares, and what hangs on it: the feed, locks, calls that arrive twice. */
export const extraCases: readonly StoreCase[] = [
  {
    promise: "a store has the methods of what it declares",
    run: async ({ store }) => {
      const { userIndex, feed, lock } = store.capabilities;
      const has = (...names: (keyof SessionStore)[]): boolean =>
        names.every((name) => typeof store[name] === "function");
      check(has("load", "create", "commit", "renew", "rotate", "destroy"), "every store has the six verbs");
      check(!userIndex || has("listByUser", "revokeHandle", "revokeUser", "generation"), "userIndex: four methods");
      check(feed === null || has("watch"), "feed: watch");
      check(!lock || has("lock"), "lock: lock");
      await store.ping?.();
    },
  },
  {
    promise: "a local store answers without promises",
    run: async (scene) => {
      const { store } = scene;
      if (!store.capabilities.local) return;
      const session = scene.session();
      const [second, third] = [scene.key(), scene.key()];
      const at = { now: START, lastUsedAt: START, expiresAt: START + HOUR };
      const answers: unknown[] = [
        store.create(session, { operation: newOperation(), now: START }),
        store.load(session.key, START),
        store.commit(session.key, scene.change({ set: { a: "2" } })),
        store.renew(session.key, at),
        store.rotate(session.key, second, scene.change(), { leave: scene.alias(second) }),
        store.rotate(second, third, scene.change(), { leave: scene.tombstone() }),
        store.destroy(third, { now: START, tombstoneUntil: START + MINUTE }),
        store.listByUser?.(scene.user(), { now: START, limit: 1 }),
        store.generation?.(scene.user()),
        store.sweep?.(START, 1),
      ];
      const isPromise = (answer: unknown): boolean => typeof (answer as { then?: unknown } | null)?.then === "function";
      same(answers.filter(isPromise).length, 0, "the number of promises among the answers");
    },
  },
  {
    promise: "watch hears of each key that was destroyed, revoked or rotated",
    needs: "feed",
    run: async (scene) => {
      const heard = await listen(scene);
      const destroyed = await scene.create();
      await scene.destroy(destroyed.key);
      const rotated = await scene.create();
      await scene.rotate(rotated.key);
      const expected = [`revoked ${destroyed.key}`, `rotated ${rotated.key}`];
      if (scene.store.capabilities.userIndex) {
        const { user, sessions } = await scene.loggedIn(2);
        const { key, handle } = await scene.create({}, scene.bind(user, { cap: scene.cap(2, "evict-oldest") }));
        await scene.indexed.revokeHandle(handle, { now: START, tombstoneUntil: START + MINUTE });
        await scene.indexed.revokeUser(user, { now: START, tombstoneUntil: START + MINUTE });
        expected.push(`revoked ${key}`, ...sessions.map((session) => `revoked ${session.key}`));
      }
      await eventually(() => heard.length >= expected.length);
      same(heard.toSorted(), expected.toSorted(), "what was heard");
    },
  },
  {
    promise: "watch hears of each commit where the store announces changes",
    needs: "changes",
    run: async (scene) => {
      const { key } = await scene.create();
      const other = await scene.create();
      const heard = await listen(scene, true);
      await scene.commit(key, { set: { a: "2" } });
      const refused = await scene.store.commit(other.key, scene.change({ expect: { a: "9" }, set: { a: "2" } }));
      same(refused.ok, false, "a commit that is refused");
      await scene.commit(key, { set: { a: "3" } });
      await eventually(() => heard.length >= 2);
      same(heard, [`changed ${key}`, `changed ${key}`], "what was heard");
    },
  },
  {
    promise: "who stopped watching hears nothing more",
    needs: "feed",
    run: async (scene) => {
      const left: StoreNotice[] = [];
      const stop = await scene.store.watch?.((notice) => left.push(notice));
      const heard = await listen(scene);
      await stop?.();
      const { key } = await scene.create();
      await scene.destroy(key);
      await eventually(() => heard.length > 0);
      same([heard, left], [[`revoked ${key}`], []], "what those who stayed and those who left heard");
    },
  },
  {
    promise: "a listener that throws harms neither the verb nor other listeners",
    needs: "feed",
    run: async (scene) => {
      await scene.store.watch?.(() => {
        throw new Error("a fault of the listener");
      });
      const heard = await listen(scene);
      const { key } = await scene.create();
      same(await scene.destroy(key), true, "destroy");
      await scene.isGone(key);
      await eventually(() => heard.length > 0);
      same(heard, [`revoked ${key}`], "what the other listener heard");
    },
  },
  {
    promise: "a lock is held by one until it is released",
    needs: "lock",
    run: async (scene) => {
      const { key } = await scene.create();
      const other = await scene.create();
      const first = await scene.store.lock?.(key, { now: START, lease: MINUTE });
      check(first !== null && first !== undefined, "a free lock is given");
      same(await scene.store.lock?.(key, { now: START, lease: MINUTE }), null, "the lock while it is held");
      check(
        (await scene.store.lock?.(other.key, { now: START, lease: MINUTE })) !== null,
        "another session's lock is free",
      );
      await scene.commit(key, { set: { a: "2" }, fence: first.fence });
      await first.release();
      const second = await scene.store.lock?.(key, { now: START, lease: MINUTE });
      check(second !== null && second !== undefined, "a released lock is given");
      check(second.fence > first.fence, "a later holder's fence is higher");
    },
  },
  {
    promise: "a lock whose lease ran out is free, and its holder's change is refused",
    needs: "lock",
    run: async (scene) => {
      const { key } = await scene.create();
      const first = await scene.store.lock?.(key, { now: START, lease: 1_000 });
      same(await scene.store.lock?.(key, { now: START + 999, lease: 1_000 }), null, "the lock before its lease ends");
      const second = await scene.store.lock?.(key, { now: START + 1_000, lease: 1_000 });
      check(first !== null && first !== undefined && second !== null && second !== undefined, "the lock is given");
      const late = await scene.store.commit(key, scene.change({ set: { a: "late" }, fence: first.fence }));
      same(late, { ok: false, reason: "conflict", current: {} }, "the outlived holder's change");
      await first.release();
      same(await scene.store.lock?.(key, { now: START + 1_001, lease: 1_000 }), null, "the lock after a late release");
      await scene.commit(key, { set: { b: "2" }, fence: second.fence });
      same(await scene.fieldsOf(key), { a: "1", b: "2" }, "the fields");
    },
  },
  {
    promise: "a create that arrives twice makes one session and is answered alike",
    needs: "replay",
    run: async (scene) => {
      const session = scene.session();
      const options = { operation: newOperation(), now: START };
      const first = await scene.store.create(session, options);
      same(await scene.store.create(session, options), first, "the second answer");
      const other = await scene.store.create(session, { operation: newOperation(), now: START });
      same(other, { ok: false, reason: "duplicate" }, "another create under that key");
    },
  },
  {
    promise: "a commit that arrives twice is applied once and answered alike",
    needs: "replay",
    run: async (scene) => {
      const { key } = await scene.create({ fields: { n: "1" } });
      const change = scene.change({ expect: { n: "1" }, set: { n: "2" } });
      const first = await scene.store.commit(key, change);
      same(await scene.store.commit(key, change), first, "the second answer");
      await scene.commit(key, { set: { n: "9" } });
      const late = await scene.store.commit(key, change);
      check(late.ok, "a third arrival is answered as accepted");
      same(await scene.fieldsOf(key), { n: "9" }, "the fields");
    },
  },
  {
    promise: "a rotate that arrives twice moves once and is answered alike",
    needs: "replay",
    run: async (scene) => {
      for (const leaves of ["tombstone", "alias"]) {
        const { key } = await scene.create();
        const newKey: Key = scene.key();
        const leave = leaves === "alias" ? scene.alias(newKey) : scene.tombstone();
        const change = scene.change({ expect: { a: "1" }, set: { a: "2" } });
        const first = await scene.store.rotate(key, newKey, change, { leave });
        check(first.ok, "rotate moves the record");
        same(await scene.store.rotate(key, newKey, change, { leave }), first, "the second answer");
        same(await scene.fieldsOf(newKey), { a: "2" }, "the fields");
      }
    },
  },
];

/** Keys that the store tells of from now on, as `type key`; of changes only when asked. */
async function listen(scene: Scene, changes: boolean = false): Promise<string[]> {
  const heard: string[] = [];
  await scene.store.watch?.((notice) => {
    if (!("keys" in notice) || (notice.type === "changed") !== changes) return;
    for (const key of notice.keys) heard.push(`${notice.type} ${key}`);
  });
  return heard;
}

/** Waits for news that come over a network, two seconds at most. */
async function eventually(condition: () => boolean): Promise<void> {
  for (let round = 0; round < 200 && !condition(); round += 1) {
    await new Promise<void>((resolve) => setTimeout(resolve, 10));
  }
}
