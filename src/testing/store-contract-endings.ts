import { check, same } from "./store-contract-assert.ts";
import { HOUR, MINUTE, START, type StoreCase } from "./store-contract-scene.ts";

/** What `destroy`, deadlines and `sweep` promise. */
export const endingCases: readonly StoreCase[] = [
  {
    promise: "destroy ends a record and leaves a tombstone for as long as it was told",
    run: async (scene) => {
      const { key } = await scene.create();
      same(await scene.store.destroy(key, { now: START, tombstoneUntil: START + 1_001 }), true, "destroy");
      const tombstone = { kind: "tombstone", reason: "revoked", expiresAt: START + 1_001 };
      same({ ...(await scene.store.load(key, START)) }, tombstone, "load");
      same({ ...(await scene.store.load(key, START + 1_000)) }, tombstone, "load a millisecond before its end");
      same(await scene.store.load(key, START + 1_001), null, "load at its end");
    },
  },
  {
    promise: "every verb finds a destroyed record gone",
    run: async (scene) => {
      const { key } = await scene.create();
      await scene.destroy(key);
      await scene.isGone(key);
      await scene.isGone(key, START + MINUTE);
    },
  },
  {
    promise: "destroy answers false where nothing is alive",
    run: async (scene) => {
      same(await scene.destroy(scene.key()), false, "destroy of what was never made");
      const { key } = await scene.create();
      await scene.destroy(key);
      same(await scene.destroy(key), false, "destroy for the second time");
      const { key: old, expiresAt } = await scene.create();
      same(await scene.destroy(old, expiresAt), false, "destroy of what has expired");
    },
  },
  {
    promise: "destroy may leave no tombstone",
    run: async (scene) => {
      const { key } = await scene.create();
      same(await scene.store.destroy(key, { now: START, tombstoneUntil: START }), true, "destroy");
      same(await scene.store.load(key, START), null, "load");
    },
  },
  {
    promise: "destroying twice leaves the first tombstone as it is",
    run: async (scene) => {
      const { key } = await scene.create();
      await scene.destroy(key);
      await scene.store.destroy(key, { now: START, tombstoneUntil: START + HOUR });
      same(await scene.store.load(key, START + MINUTE), null, "load when the first tombstone has expired");
    },
  },
  {
    promise: "every verb finds an expired record gone",
    run: async (scene) => {
      const { key, expiresAt } = await scene.create();
      await scene.isGone(key, expiresAt);
      await scene.isGone(key, expiresAt + 1);
    },
  },
  {
    promise: "a deadline that is already past makes no session without end",
    run: async (scene) => {
      const session = scene.session({ expiresAt: START });
      await scene.store.create(session, { operation: scene.change().operation, now: START });
      await scene.isGone(session.key);
    },
  },
  {
    promise: "what has less than a second left ends like anything else",
    run: async (scene) => {
      const at = START + MINUTE - 1;
      for (const rest of [2, 400, 999]) {
        const created = await scene.create({ expiresAt: START + rest });
        const found = await scene.store.load(created.key, START);
        // The backend's own expiry may have been there first.
        if (found !== null) same(found.expiresAt, START + rest, "the deadline");
        await scene.isGone(created.key, START + rest);
        const renewed = await scene.create({ expiresAt: START + MINUTE });
        const use = { now: at, lastUsedAt: at, expiresAt: at + rest };
        same(await scene.store.renew(renewed.key, use), true, "renew");
        await scene.isGone(renewed.key, at + rest);
        const changed = await scene.create({ expiresAt: START + MINUTE });
        await scene.commit(changed.key, use);
        await scene.isGone(changed.key, at + rest);
        const destroyed = await scene.create();
        await scene.store.destroy(destroyed.key, { now: START, tombstoneUntil: START + rest });
        same(await scene.store.load(destroyed.key, START + rest), null, "load when the tombstone has expired");
      }
    },
  },
  {
    promise: "sweep removes records, tombstones and aliases past their deadline, and answers how many",
    needs: "sweep",
    run: async (scene) => {
      const record = await scene.create();
      const destroyed = await scene.create();
      await scene.destroy(destroyed.key);
      const moved = await scene.create();
      const { newKey } = await scene.moveOn(moved.key);
      const later = START + 2 * HOUR;
      same(await scene.store.sweep?.(later, 100), 4, "sweep");
      for (const key of [record.key, destroyed.key, moved.key, newKey]) {
        same(await scene.store.load(key, START), null, "load of what was swept, by a clock of before");
      }
      same(await scene.store.sweep?.(later, 100), 0, "the next sweep");
    },
  },
  {
    promise: "sweep removes as many as it is told at most, and the rest the next time",
    needs: "sweep",
    run: async (scene) => {
      for (let index = 0; index < 7; index += 1) await scene.create();
      const later = START + 2 * HOUR;
      const swept = [];
      for (let round = 0; round < 4; round += 1) swept.push(await scene.store.sweep?.(later, 3));
      same(swept, [3, 3, 1, 0], "four sweeps of three");
    },
  },
  {
    promise: "sweep never removes what is alive",
    needs: "sweep",
    run: async (scene) => {
      const now = START + HOUR - 1;
      const alive = await scene.create();
      const renewed = await scene.create({ expiresAt: START + 1_000 });
      await scene.store.renew(renewed.key, { now: START, lastUsedAt: START, expiresAt: START + HOUR });
      const prolonged = await scene.create({ expiresAt: START + 1_000 });
      await scene.commit(prolonged.key, { expiresAt: START + HOUR });
      const destroyed = await scene.create();
      await scene.store.destroy(destroyed.key, { now: START, tombstoneUntil: START + HOUR });
      const moved = await scene.create();
      await scene.rotate(moved.key, {}, undefined, scene.alias(scene.key(), START + HOUR));
      const short = await scene.create({ expiresAt: now });
      same(await scene.store.sweep?.(now, 100), 1, "sweep of one expired among living");
      same(await scene.store.load(short.key, START), null, "load of the expired one");
      for (const { key } of [alive, renewed, prolonged]) check(await scene.isAlive(key, now), "a live record stays");
      same((await scene.store.load(destroyed.key, now))?.kind, "tombstone", "what stands under a destroyed key");
      same((await scene.store.load(moved.key, now))?.kind, "alias", "what stands under a moved key");
    },
  },
];
