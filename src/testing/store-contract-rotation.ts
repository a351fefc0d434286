import { newOperation } from "../core/session-id.ts";
import { check, same } from "./store-contract-assert.ts";
import { HOUR, MINUTE, START, type StoreCase } from "./store-contract-scene.ts";

/** What `rotate` promises, and what aliases and tombstones answer. */
export const rotationCases: readonly StoreCase[] = [
  {
    promise: "rotate moves the record as it stands, with the change",
    run: async (scene) => {
      const session = await scene.create({ fields: { a: "1", b: "2", c: "3" } });
      const { version } = await scene.stored(session.key);
      const newKey = scene.key();
      const change = scene.change({ expect: { a: "1" }, remove: ["a"], set: { b: "9", d: "4" } });
      const answer = await scene.store.rotate(session.key, newKey, change, { leave: scene.tombstone() });
      same(answer, { ok: true, version: version + 1, evicted: [] }, "rotate");
      const { fields, createdAt, lastUsedAt, expiresAt, handle, ...rest } = await scene.stored(newKey);
      const moved = { key: session.key, fields, createdAt, lastUsedAt, expiresAt, handle };
      same(moved, { ...session, fields: { b: "9", c: "3", d: "4" } }, "the record under its new key");
      same(rest.version, version + 1, "the version that load answers");
    },
  },
  {
    promise: "rotate takes along what another request committed before",
    run: async (scene) => {
      const { key } = await scene.create({ fields: { a: "1" } });
      await scene.stored(key);
      await scene.commit(key, { set: { late: "1" }, lastUsedAt: START + 5 });
      const newKey = await scene.rotate(key, { set: { mine: "1" } });
      const { fields, lastUsedAt } = await scene.stored(newKey);
      same([{ ...fields }, lastUsedAt], [{ a: "1", late: "1", mine: "1" }, START + 5], "the record");
    },
  },
  {
    promise: "a rotated key is dead at once and says that it was rotated",
    run: async (scene) => {
      const { key } = await scene.create();
      const newKey = await scene.rotate(key);
      same({ ...(await scene.store.load(key, START)) }, scene.tombstone(), "what stands under the old key");
      await scene.isGone(key);
      same(await scene.destroy(key), false, "destroy under the old key");
      check(await scene.isAlive(newKey), "the record lives under the new key");
      same(await scene.store.load(key, START + MINUTE), null, "the old key when its tombstone has expired");
    },
  },
  {
    promise: "clear at a rotation removes every field there is now, before remove and set",
    run: async (scene) => {
      const { key } = await scene.create({ fields: { a: "1" } });
      await scene.commit(key, { set: { late: "1" } });
      const newKey = await scene.rotate(key, { clear: true, remove: ["kept"], set: { kept: "1" } });
      same(await scene.fieldsOf(newKey), { kept: "1" }, "the fields");
    },
  },
  {
    promise: "a rotation whose expectation fails moves nothing",
    run: async (scene) => {
      const { key } = await scene.create({ fields: { a: "1" } });
      const before = { ...(await scene.stored(key)) };
      const newKey = scene.key();
      const change = scene.change({ expect: { a: "2", b: null }, set: { a: "3" }, lastUsedAt: START + 1 });
      const answer = await scene.store.rotate(key, newKey, change, { leave: scene.tombstone() });
      same(answer, { ok: false, reason: "conflict", current: { a: "1" } }, "rotate");
      same({ ...(await scene.stored(key)) }, before, "the record");
      same(await scene.store.load(newKey, START), null, "the new key");
    },
  },
  {
    promise: "rotate refuses a key that is taken, and moves nothing",
    run: async (scene) => {
      const { key } = await scene.create();
      const taken = await scene.create({ fields: { taken: "1" } });
      const destroyed = await scene.create();
      await scene.destroy(destroyed.key);
      const moved = await scene.create();
      await scene.moveOn(moved.key);
      for (const newKey of [taken.key, destroyed.key, moved.key]) {
        const answer = await scene.store.rotate(key, newKey, scene.change({ set: { a: "2" } }), {
          leave: scene.tombstone(),
        });
        same(answer, { ok: false, reason: "duplicate" }, "rotate");
      }
      same([await scene.fieldsOf(key), await scene.fieldsOf(taken.key)], [{ a: "1" }, { taken: "1" }], "both records");
    },
  },
  {
    promise: "rotate takes a key whose record has expired, and inherits nothing",
    run: async (scene) => {
      const old = await scene.create({ fields: { old: "1" }, expiresAt: START + 1 });
      const { key } = await scene.create();
      const change = scene.change({ now: START + 1, set: { b: "1" } });
      const answer = await scene.store.rotate(key, old.key, change, { leave: scene.tombstone() });
      check(answer.ok, "rotate moves the record");
      same(await scene.fieldsOf(old.key, START + 1), { a: "1", b: "1" }, "the fields");
    },
  },
  {
    promise: "rotate finds gone what was never made, and makes no record",
    run: async (scene) => {
      const newKey = scene.key();
      const change = scene.change({ set: { a: "1" }, expiresAt: START + HOUR });
      const answer = await scene.store.rotate(scene.key(), newKey, change, { leave: scene.tombstone() });
      same(answer, { ok: false, reason: "gone" }, "rotate");
      same(await scene.store.load(newKey, START), null, "the new key");
    },
  },
  {
    promise: "a rotation moves last use and deadline only ever later",
    run: async (scene) => {
      const { key, createdAt, expiresAt } = await scene.create();
      const second = await scene.rotate(key, { lastUsedAt: START - 1, expiresAt: START + 1 });
      const earlier = await scene.stored(second);
      same([earlier.lastUsedAt, earlier.expiresAt], [START, expiresAt], "last use and deadline, given earlier ones");
      const third = await scene.rotate(second, { lastUsedAt: START + 1, expiresAt: expiresAt + 1 });
      const later = await scene.stored(third);
      same([later.lastUsedAt, later.expiresAt], [START + 1, expiresAt + 1], "last use and deadline, given later ones");
      same(later.createdAt, createdAt, "the creation");
    },
  },
  {
    promise: "a rotation that starts a new absolute period takes its deadline as it is, also an earlier one",
    run: async (scene) => {
      const { key } = await scene.create({ createdAt: START - MINUTE, expiresAt: START + HOUR });
      const newKey = await scene.rotate(key, { createdAt: START, lastUsedAt: START, expiresAt: START + 1_001 });
      const { createdAt, lastUsedAt, expiresAt } = await scene.stored(newKey);
      same([createdAt, lastUsedAt, expiresAt], [START, START, START + 1_001], "creation, last use and deadline");
      await scene.commit(newKey, { now: START + 1_000 });
      await scene.isGone(newKey, START + 1_001);
    },
  },
  {
    promise: "the handle stays through rotations",
    run: async (scene) => {
      const { key, handle } = await scene.create();
      const second = await scene.rotate(key, { clear: true });
      const third = await scene.rotate(second, { createdAt: START });
      same((await scene.stored(third)).handle, handle, "the handle");
    },
  },
  {
    promise: "load answers since when a record has its key",
    run: async (scene) => {
      const session = scene.session({ createdAt: START - 5, expiresAt: START + HOUR });
      await scene.store.create(session, { operation: newOperation(), now: START });
      await scene.commit(session.key, { now: START + 1, set: { a: "2" }, lastUsedAt: START + 1 });
      await scene.store.renew(session.key, { now: START + 2, lastUsedAt: START + 2, expiresAt: START + 2 * HOUR });
      same((await scene.stored(session.key)).rotatedAt, START, "since when, before any rotation");
      const second = await scene.rotate(session.key, { now: START + 1_003 });
      same((await scene.stored(second)).rotatedAt, START + 1_003, "since when, after a rotation");
      const third = await scene.rotate(second, { now: START + 2_005, createdAt: START + 7 });
      same((await scene.stored(third)).rotatedAt, START + 2_005, "since when, after one that began a new period");
    },
  },
  {
    promise: "an alias leads to the new key until it expires",
    run: async (scene) => {
      const { key } = await scene.create();
      const { newKey, alias } = await scene.moveOn(key);
      same({ ...(await scene.store.load(key, START)) }, alias, "load");
      same({ ...(await scene.store.load(key, alias.expiresAt - 1)) }, alias, "load a millisecond before its end");
      same(await scene.fieldsOf(newKey), { a: "1" }, "the record under its new key");
      same(await scene.store.load(key, alias.expiresAt), null, "load at its end");
      await scene.isGone(key, alias.expiresAt);
      check(await scene.isAlive(newKey, alias.expiresAt), "the record lives on under its new key");
    },
  },
  {
    promise: "under an alias commit and rotate answer where the record went, and change nothing",
    run: async (scene) => {
      const { key } = await scene.create();
      const { newKey } = await scene.moveOn(key);
      const before = { ...(await scene.stored(newKey)) };
      const moved = { ok: false, reason: "moved", to: newKey, sealedId: `sealed-${newKey.slice(-8)}` };
      same(await scene.store.commit(key, scene.change({ set: { late: "1" } })), moved, "commit");
      const third = scene.key();
      same(await scene.store.rotate(key, third, scene.change(), { leave: scene.tombstone() }), moved, "rotate");
      same(await scene.store.load(third, START), null, "the key that rotate would have moved it to");
      same({ ...(await scene.stored(newKey)) }, before, "the record");
    },
  },
  {
    promise: "renew under an alias answers false and changes nothing",
    run: async (scene) => {
      const { key, expiresAt } = await scene.create();
      const { newKey } = await scene.moveOn(key);
      same(await scene.store.renew(key, { now: START, lastUsedAt: START, expiresAt: expiresAt + 1 }), false, "renew");
      same((await scene.stored(newKey)).expiresAt, expiresAt, "the deadline");
    },
  },
  {
    promise: "destroy through an alias ends the record behind it, also behind a second one",
    run: async (scene) => {
      const { key } = await scene.create();
      const second = await scene.moveOn(key);
      const third = await scene.moveOn(second.newKey);
      same(await scene.destroy(key), true, "destroy");
      await scene.isGone(third.newKey);
      same((await scene.store.load(third.newKey, START))?.kind, "tombstone", "what stands under the last key");
      same(await scene.destroy(key), false, "destroy for the second time");
    },
  },
];
