import { newOperation } from "../core/session-id.ts";
import type { Key, NewSession } from "../core/session-record.ts";
import type { CapPolicy } from "../core/session-store.ts";
import { check, same } from "./store-contract-assert.ts";
import { each, HOUR, MINUTE, type Scene, START, type StoreCase } from "./store-contract-scene.ts";

/** What a limit of sessions for each user promises. */
export const capCases: readonly StoreCase[] = each({ needs: "userIndex" }, [
  {
    promise: "a cap that evicts the oldest ends the session whose login is the longest ago",
    run: async (scene) => {
      const { user, sessions } = await scene.loggedIn(3);
      const [oldest] = sessions as [NewSession];
      await scene.store.renew(oldest.key, { now: START, lastUsedAt: START + MINUTE, expiresAt: START + HOUR });
      await evicts(scene, user, "evict-oldest", 3, [oldest.key]);
    },
  },
  {
    promise: "a cap that evicts the idle ends the session whose last use is the longest ago",
    run: async (scene) => {
      const { user, sessions } = await scene.loggedIn(3);
      const [oldest, idle] = sessions as [NewSession, NewSession];
      await scene.store.renew(oldest.key, { now: START, lastUsedAt: START + MINUTE, expiresAt: START + HOUR });
      await evicts(scene, user, "evict-idle", 3, [idle.key]);
    },
  },
  {
    promise: "a cap that was lowered ends as many as are too many",
    run: async (scene) => {
      const { user, sessions } = await scene.loggedIn(5);
      await evicts(
        scene,
        user,
        "evict-oldest",
        2,
        sessions.slice(0, 4).map(({ key }) => key),
      );
    },
  },
  {
    promise: "a login below the cap ends nobody",
    run: async (scene) => {
      const { user } = await scene.loggedIn(2);
      await evicts(scene, user, "evict-oldest", 3, []);
    },
  },
  {
    promise: "a cap that rejects refuses the login beyond it, and changes nothing",
    run: async (scene) => {
      const { user, sessions } = await scene.loggedIn(2);
      const bind = scene.bind(user, { cap: scene.cap(2, "reject") });
      const refused = { ok: false, reason: "rejected", why: "cap" };
      const session = scene.session({ key: scene.key(user) });
      const created = await scene.store.create(session, { operation: newOperation(), now: START, bind });
      same(created, refused, "create");
      same(await scene.store.load(session.key, START), null, "the key of the refused login");
      const visitor = await scene.create();
      const before = { ...(await scene.stored(visitor.key)) };
      const newKey = scene.key(user);
      const change = scene.change({ set: { a: "2" }, lastUsedAt: START + 1 });
      same(
        await scene.store.rotate(visitor.key, newKey, change, { leave: scene.tombstone(), bind }),
        refused,
        "rotate",
      );
      same({ ...(await scene.stored(visitor.key)) }, before, "the visitor's record");
      same(await scene.store.load(newKey, START), null, "the key it would have had");
      same((await scene.handles(user)).length, sessions.length, "the number of the user's sessions");
    },
  },
  {
    promise: "expired sessions do not count against a cap",
    run: async (scene) => {
      const user = scene.user();
      await scene.create({ expiresAt: START + 1 }, scene.bind(user));
      await scene.create({}, scene.bind(user));
      const bind = scene.bind(user, { cap: scene.cap(2, "reject") });
      await scene.create({ createdAt: START + 1 }, bind);
      same((await scene.handles(user, START + 1)).length, 2, "the number of the user's sessions");
    },
  },
  {
    promise: "a session that logs in again takes its own place under the cap",
    run: async (scene) => {
      const { user, sessions } = await scene.loggedIn(2);
      const [again] = sessions as [NewSession];
      await scene.rotate(again.key, {}, scene.bind(user, { cap: scene.cap(2, "reject") }));
      same((await scene.handles(user)).toSorted(), sessions.map(({ handle }) => handle).toSorted(), "the list");
    },
  },
  {
    promise: "the tombstones of what a cap ends last as long as asked",
    run: async (scene) => {
      const user = scene.user();
      const until = START + 5 * MINUTE;
      const bind = scene.bind(user, { cap: scene.cap(1, "evict-oldest", until) });
      const first = await scene.create({}, bind);
      const second = await scene.create({}, bind);
      const third = await scene.create();
      await scene.rotate(third.key, {}, bind);
      for (const { key } of [first, second]) {
        const left = await scene.store.load(key, until - 1);
        same(
          { ...left },
          { kind: "tombstone", reason: "revoked", expiresAt: until },
          "what stands under an evicted key",
        );
        same(await scene.store.load(key, until), null, "an evicted key when its tombstone has expired");
      }
    },
  },
]);

/** Logs in once more by `create` and checks who had to go for it. */
async function evicts(
  scene: Scene,
  user: string,
  policy: CapPolicy,
  max: number,
  expected: readonly Key[],
): Promise<void> {
  const session = scene.session({ key: scene.key(user) });
  const bind = scene.bind(user, { cap: scene.cap(max, policy) });
  const answer = await scene.store.create(session, { operation: newOperation(), now: START, bind });
  check(answer.ok, "create admits the login");
  same(answer.evicted.toSorted(), expected.toSorted(), "the keys that had to go");
  for (const key of expected) {
    await scene.isGone(key);
    const found = await scene.store.load(key, START);
    check(found?.kind === "tombstone" && found.reason === "revoked", "an evicted key says that it was revoked");
  }
  const handles = await scene.handles(user);
  check(handles.includes(session.handle), "the new session is in the list");
  check(handles.length <= max, "the list is no longer than the cap");
  check(await scene.isAlive(session.key), "the new session lives");
}
