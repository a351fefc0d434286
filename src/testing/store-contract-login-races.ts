import { newOperation } from "../core/session-id.ts";
import type { Key, NewSession } from "../core/session-record.ts";
import type { Created } from "../core/session-store.ts";
import { check, same } from "./store-contract-assert.ts";
import { each, HOUR, MINUTE, type Scene, START, type StoreCase } from "./store-contract-scene.ts";

const AT = { now: START, tombstoneUntil: START + MINUTE };

/** Logins, caps and revokes that run at once. */
export const loginRaceCases: readonly StoreCase[] = each({ race: true, needs: "userIndex" }, [
  {
    promise: "a cap holds when logins race",
    run: async (scene) => {
      for (const policy of ["evict-oldest", "evict-idle", "reject"] as const) {
        const user = scene.user();
        const bind = scene.bind(user, { cap: scene.cap(3, policy) });
        const sessions = Array.from({ length: 10 }, () => scene.session({ key: scene.key(user) }));
        const answers = await scene.parallel<Created>(10, (index, store) =>
          store.create(sessions[index] as NewSession, { operation: newOperation(), now: START, bind }),
        );
        same(answers.filter(({ ok }) => ok).length, policy === "reject" ? 3 : 10, `the number admitted by ${policy}`);
        await indexEqualsScan(scene, user, sessions, 3);
      }
    },
  },
  {
    promise: "no login that began before a revoke survives one that races with it",
    run: async (scene) => {
      const user = scene.user();
      const sessions = Array.from({ length: 8 }, () => scene.session({ key: scene.key(user) }));
      const since = await scene.indexed.generation(user);
      const bind = scene.bind(user, { since });
      await scene.parallel(9, (index, store) =>
        index === 4
          ? store.revokeUser?.(user, AT)
          : store.create(sessions[index > 4 ? index - 1 : index] as NewSession, {
              operation: newOperation(),
              now: START,
              bind,
            }),
      );
      await indexEqualsScan(scene, user, sessions, 0);
    },
  },
  {
    promise: "a write or a rotation that races with a revoke brings nothing back",
    run: async (scene) => {
      const { user, sessions } = await scene.loggedIn(3);
      const keys = sessions.map(() => scene.key(user));
      await scene.parallel(7, (index, store) => {
        const session = sessions[index % 3] as NewSession;
        const change = scene.change({ set: { a: "2" }, expiresAt: START + 2 * HOUR });
        if (index === 3) return store.revokeUser?.(user, AT);
        if (index < 3) return store.commit(session.key, change);
        return store.rotate(session.key, keys[index % 3] as Key, change, { leave: scene.tombstone() });
      });
      for (const { key } of sessions) await scene.isGone(key);
      for (const key of keys) check(!(await scene.isAlive(key)), "no rotation took a session past the revoke");
      same(await scene.handles(user), [], "the list");
    },
  },
  {
    promise: "the list equals what is alive after a storm of logins, logouts and rotations",
    run: async (scene) => {
      const { user, sessions } = await scene.loggedIn(8);
      const moved = sessions.map(({ handle }) => scene.session({ key: scene.key(user), handle }));
      await scene.parallel(24, (index, store) => {
        const { key } = sessions[index % 8] as NewSession;
        const newKey = (moved[index % 8] as NewSession).key;
        if (index % 3 === 0) return store.rotate(key, newKey, scene.change(), { leave: scene.alias(newKey) });
        if (index % 5 === 0) return store.destroy(key, AT);
        return store.renew(key, { now: START, lastUsedAt: START + index, expiresAt: START + HOUR + index });
      });
      await indexEqualsScan(scene, user, [...sessions, ...moved]);
    },
  },
]);

async function indexEqualsScan(
  scene: Scene,
  user: string,
  sessions: readonly NewSession[],
  count?: number,
): Promise<void> {
  const alive: string[] = [];
  for (const { key, handle } of sessions) if (await scene.isAlive(key)) alive.push(handle);
  if (count !== undefined) same(alive.length, count, "the number of live sessions");
  same((await scene.handles(user)).toSorted(), alive.toSorted(), "the list against what is alive");
}
