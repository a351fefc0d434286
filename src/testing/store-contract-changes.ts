import { check, same } from "./store-contract-assert.ts";
import { HOUR, MINUTE, START, type StoreCase } from "./store-contract-scene.ts";

/** What `commit` and `renew` promise. */
export const changeCases: readonly StoreCase[] = [
  {
    promise: "commit sets fields and leaves the others",
    run: async (scene) => {
      const { key } = await scene.create({ fields: { a: "1", b: "2" } });
      await scene.commit(key, { set: { b: "3", c: "4" } });
      same(await scene.fieldsOf(key), { a: "1", b: "3", c: "4" }, "the fields");
    },
  },
  {
    promise: "commit removes fields, and one that is not there is no error",
    run: async (scene) => {
      const { key } = await scene.create({ fields: { a: "1", b: "2" } });
      await scene.commit(key, { remove: ["a", "never"] });
      same(await scene.fieldsOf(key), { b: "2" }, "the fields");
    },
  },
  {
    promise: "clear removes every field there is now, also one that another request added",
    run: async (scene) => {
      const { key } = await scene.create({ fields: { a: "1" } });
      await scene.commit(key, { set: { late: "1" } });
      await scene.commit(key, { clear: true });
      same(await scene.fieldsOf(key), {}, "the fields");
    },
  },
  {
    promise: "clear comes first, then remove, then set",
    run: async (scene) => {
      const { key } = await scene.create({ fields: { a: "1", b: "2" } });
      await scene.commit(key, { clear: true, remove: ["c", "d"], set: { c: "3", d: "4" } });
      same(await scene.fieldsOf(key), { c: "3", d: "4" }, "the fields");
    },
  },
  {
    promise: "a change whose expectation holds is applied",
    run: async (scene) => {
      const { key } = await scene.create({ fields: { a: "1", b: "2" } });
      await scene.commit(key, { expect: { a: "1", never: null }, set: { a: "2", never: "1" } });
      await scene.commit(key, { expect: {}, remove: ["b"] });
      same(await scene.fieldsOf(key), { a: "2", never: "1" }, "the fields");
    },
  },
  {
    promise: "a change whose expectation fails changes nothing at all",
    run: async (scene) => {
      const { key } = await scene.create({ fields: { a: "1", b: "2" } });
      const before = { ...(await scene.stored(key)) };
      const change = {
        clear: true,
        remove: ["b"],
        set: { c: "3" },
        lastUsedAt: START + 1,
        expiresAt: START + 2 * HOUR,
      };
      const answer = await scene.store.commit(key, scene.change({ ...change, expect: { a: "1", b: "other" } }));
      same(answer, { ok: false, reason: "conflict", current: { b: "2" } }, "commit");
      same({ ...(await scene.stored(key)) }, before, "the record");
    },
  },
  {
    promise: "a conflict tells exactly the expected fields that differ, and what they are now",
    run: async (scene) => {
      const { key } = await scene.create({ fields: { same: "1", other: "2", unasked: "3" } });
      const expect = { same: "1", other: "1", gone: "1", unexpected: null };
      const answer = await scene.store.commit(key, scene.change({ expect }));
      same(answer, { ok: false, reason: "conflict", current: { other: "2", gone: null } }, "commit");
      const appeared = await scene.store.commit(key, scene.change({ expect: { same: null } }));
      same(appeared, { ok: false, reason: "conflict", current: { same: "1" } }, "commit that expects absence");
    },
  },
  {
    promise: "expectations are compared as texts, not as values",
    run: async (scene) => {
      const fields = { number: "1.0", object: '{"a":1,"b":2}', empty: "", word: '"Ann"', nothing: "null", accent: "é" };
      const { key } = await scene.create({ fields });
      const expect = {
        number: "1",
        object: '{"b":2,"a":1}',
        empty: null,
        word: '"ann"',
        nothing: null,
        accent: "e\u0301",
      };
      const answer = await scene.store.commit(key, scene.change({ expect, set: { number: "2" } }));
      same(answer, { ok: false, reason: "conflict", current: fields }, "commit");
    },
  },
  {
    promise: "expectations are checked before fields are cleared, removed or set",
    run: async (scene) => {
      const { key } = await scene.create({ fields: { a: "1" } });
      const early = scene.change({ expect: { a: null }, clear: true, remove: ["a"] });
      same(await scene.store.commit(key, early), { ok: false, reason: "conflict", current: { a: "1" } }, "commit");
      await scene.commit(key, { expect: { a: "1" }, clear: true, set: { a: "2" } });
      same(await scene.fieldsOf(key), { a: "2" }, "the fields");
    },
  },
  {
    promise: "the version rises by one with each change of data, and load answers the same",
    run: async (scene) => {
      const { key } = await scene.create();
      const { version } = await scene.stored(key);
      const versions = [
        await scene.commit(key, { set: { b: "1" } }),
        await scene.commit(key, { remove: ["b"] }),
        await scene.commit(key, { clear: true }),
      ];
      same(versions, [version + 1, version + 2, version + 3], "the versions of three commits");
      await scene.store.renew(key, { now: START, lastUsedAt: START + 1, expiresAt: START + 2 * HOUR });
      same((await scene.stored(key)).version, version + 3, "the version that load answers after a renewal");
    },
  },
  {
    promise: "commit moves last use and deadline only ever later, each by itself",
    run: async (scene) => {
      const { key } = await scene.create();
      const instants = async (): Promise<number[]> => {
        const { lastUsedAt, expiresAt } = await scene.stored(key);
        return [lastUsedAt - START, expiresAt - START];
      };
      await scene.commit(key, { set: { a: "2" } });
      same(await instants(), [0, HOUR], "last use and deadline after a commit without either");
      await scene.commit(key, { lastUsedAt: START + 7, expiresAt: START + HOUR + 7 });
      same(await instants(), [7, HOUR + 7], "last use and deadline, both later");
      await scene.commit(key, { set: { a: "3" }, lastUsedAt: START + 8, expiresAt: START + HOUR + 6 });
      same(await instants(), [8, HOUR + 7], "last use and deadline, the second earlier");
      await scene.commit(key, { set: { a: "4" }, lastUsedAt: START, expiresAt: START + HOUR + 8 });
      same(await instants(), [8, HOUR + 8], "last use and deadline, the first earlier");
    },
  },
  {
    promise: "a change leaves creation, handle and binding as they are",
    run: async (scene) => {
      const bind = scene.store.capabilities.userIndex ? scene.bind(scene.user()) : undefined;
      const { key } = await scene.create({ createdAt: START - 5, expiresAt: START + HOUR }, bind);
      const { createdAt, handle, binding } = await scene.stored(key);
      await scene.commit(key, { clear: true, set: { b: "1" }, lastUsedAt: START + 1 });
      const after = await scene.stored(key);
      same([after.createdAt, after.handle, after.binding], [createdAt, handle, binding], "creation, handle, binding");
    },
  },
  {
    promise: "a record lives until the millisecond before its deadline",
    run: async (scene) => {
      const { key, expiresAt } = await scene.create({ expiresAt: START + 1 });
      await scene.commit(key, { set: { a: "2" } });
      same(await scene.fieldsOf(key), { a: "2" }, "the fields");
      await scene.isGone(key, expiresAt);
    },
  },
  {
    promise: "a later deadline is a longer life",
    run: async (scene) => {
      const { key, expiresAt } = await scene.create();
      await scene.commit(key, { expiresAt: expiresAt + HOUR });
      await scene.commit(key, { now: expiresAt + 1, set: { a: "2" } });
      same(await scene.fieldsOf(key, expiresAt + 1), { a: "2" }, "the fields");
      await scene.isGone(key, expiresAt + HOUR);
    },
  },
  {
    promise: "commit makes no record",
    run: async (scene) => {
      const key = scene.key();
      await scene.isGone(key);
      same(await scene.store.load(key, START), null, "load");
    },
  },
  {
    promise: "commit never brings a destroyed record back",
    run: async (scene) => {
      const { key } = await scene.create();
      await scene.destroy(key);
      const change = scene.change({ set: { a: "2" }, lastUsedAt: START + 1, expiresAt: START + 2 * HOUR });
      same(await scene.store.commit(key, change), { ok: false, reason: "gone" }, "commit");
      check(!(await scene.isAlive(key)), "the record stays destroyed");
    },
  },
  {
    promise: "commit never brings an expired record back",
    run: async (scene) => {
      const { key, expiresAt } = await scene.create();
      const change = scene.change({ now: expiresAt, set: { a: "2" }, expiresAt: expiresAt + HOUR });
      same(await scene.store.commit(key, change), { ok: false, reason: "gone" }, "commit");
      const found = await scene.store.load(key, expiresAt);
      if (found?.kind === "session")
        same([{ ...found.fields }, found.expiresAt], [{ a: "1" }, expiresAt], "the record");
    },
  },
  {
    promise: "renew moves last use and deadline and nothing else",
    run: async (scene) => {
      const { key } = await scene.create();
      const before = await scene.stored(key);
      const kept = [before.fields, before.version, before.createdAt, before.handle];
      const at = { now: START + 3, lastUsedAt: START + 3, expiresAt: START + HOUR + 3 };
      same(await scene.store.renew(key, at), true, "renew");
      const after = await scene.stored(key);
      same([after.lastUsedAt, after.expiresAt], [START + 3, START + HOUR + 3], "last use and deadline");
      same([after.fields, after.version, after.createdAt, after.handle], kept, "everything else");
    },
  },
  {
    promise: "renew never moves last use or deadline back",
    run: async (scene) => {
      const { key, expiresAt } = await scene.create();
      const slow = { now: START, lastUsedAt: START - MINUTE, expiresAt: expiresAt - MINUTE };
      const renewed = async (given: Partial<typeof slow>): Promise<number[]> => {
        same(await scene.store.renew(key, { ...slow, ...given }), true, "renew");
        const after = await scene.stored(key);
        return [after.lastUsedAt - START, after.expiresAt - expiresAt];
      };
      same(await renewed({}), [0, 0], "last use and deadline after a renewal by a slow clock");
      same(await renewed({ lastUsedAt: START + 1 }), [1, 0], "the same after a renewal of the last use alone");
      same(await renewed({ expiresAt: expiresAt + 1 }), [1, 1], "the same after a renewal of the deadline alone");
    },
  },
  {
    promise: "renew makes no record",
    run: async (scene) => {
      const key = scene.key();
      const at = { now: START, lastUsedAt: START, expiresAt: START + HOUR };
      same(await scene.store.renew(key, at), false, "renew");
      same(await scene.store.load(key, START), null, "load");
    },
  },
  {
    promise: "renew never brings a destroyed or expired record back",
    run: async (scene) => {
      const destroyed = await scene.create();
      await scene.destroy(destroyed.key);
      const at = { now: START, lastUsedAt: START, expiresAt: START + 2 * HOUR };
      same(await scene.store.renew(destroyed.key, at), false, "renew of the destroyed one");
      check(!(await scene.isAlive(destroyed.key)), "the destroyed one stays destroyed");
      const { key, expiresAt } = await scene.create();
      const late = { now: expiresAt, lastUsedAt: expiresAt, expiresAt: expiresAt + HOUR };
      same(await scene.store.renew(key, late), false, "renew of the expired one");
      check(!(await scene.isAlive(key, expiresAt)), "the expired one stays expired");
    },
  },
];
