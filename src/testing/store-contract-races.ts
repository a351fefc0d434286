import { newOperation } from "../core/session-id.ts";
import type { Key, NewSession } from "../core/session-record.ts";
import type { Committed, Conflict, Created, Gone, Rotated, SessionStore } from "../core/session-store.ts";
import { check, same } from "./store-contract-assert.ts";
import { each, HOUR, MINUTE, type Scene, START, type StoreCase } from "./store-contract-scene.ts";

const AT = { now: START, tombstoneUntil: START + MINUTE };

/**
 * Calls that run at once. A local store is called in turns, which is every interleaving it can have; any other gets
 * them all before it answers the first.
 */
export const raceCases: readonly StoreCase[] = each({ race: true }, [
  {
    promise: "requests that set different fields all keep their changes",
    run: async (scene) => {
      const { key } = await scene.create({ fields: {} });
      const answers = await scene.parallel<Committed>(20, (index, store) =>
        store.commit(key, scene.change({ set: { [`field ${index}`]: String(index) } })),
      );
      check(
        answers.every(({ ok }) => ok),
        "every commit is accepted",
      );
      const expected = Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`field ${index}`, String(index)]));
      same(await scene.fieldsOf(key), expected, "the fields");
      const versions = answers.map(({ version }) => version);
      same(new Set(versions).size, 20, "the number of versions that were answered");
    },
  },
  {
    promise: "increments that expect what they read all count",
    run: async (scene) => {
      const { key } = await scene.create({ fields: { n: "0", other: "x" } });
      await scene.parallel(6, async (_, store) => {
        for (let round = 0; round < 4; round += 1) await increment(scene, store, key);
      });
      same(await scene.fieldsOf(key), { n: "24", other: "x" }, "the fields");
    },
  },
  {
    promise: "a slow reader does not undo what was written since it read",
    run: async (scene) => {
      const { key } = await scene.create({ fields: { a: "1", b: "1" } });
      const slow = await scene.stored(key);
      await scene.other.commit(key, scene.change({ set: { a: "2" } }));
      same({ ...slow.fields }, { a: "1", b: "1" }, "what the slow reader has");
      await scene.commit(key, { set: { b: "2" } });
      same(await scene.fieldsOf(key), { a: "2", b: "2" }, "the fields");
    },
  },
  {
    promise: "what one request wrote, the next one reads, wherever it is served",
    run: async (scene) => {
      const { key } = await scene.create();
      for (let round = 0; round < 5; round += 1) {
        await scene.store.commit(key, scene.change({ set: { a: `${round}` } }));
        const found = await scene.other.load(key, START);
        same(found?.kind === "session" ? { ...found.fields } : found, { a: `${round}` }, "the fields");
      }
    },
  },
  {
    promise: "no write that begins after a logout is accepted, and none brings the session back",
    run: async (scene) => {
      const { key } = await scene.create();
      const state = { ended: false };
      const late = await scene.parallel<boolean>(9, async (index, store) => {
        if (index === 4) {
          same(await scene.destroy(key), true, "destroy");
          state.ended = true;
          return false;
        }
        let accepted = false;
        for (let round = 0; round < 5; round += 1) {
          const { ended } = state;
          const { ok } = await store.commit(key, scene.change({ set: { a: "2" }, expiresAt: START + 2 * HOUR }));
          if (ended && ok) accepted = true;
        }
        return accepted;
      });
      same(late.filter(Boolean).length, 0, "the number of writers whose late commit was accepted");
      await scene.isGone(key);
    },
  },
  {
    promise: "a renewal that races with a logout does not bring the session back",
    run: async (scene) => {
      for (let round = 0; round < 5; round += 1) {
        const { key } = await scene.create();
        const at = { now: START, lastUsedAt: START + 1, expiresAt: START + 2 * HOUR };
        await scene.parallel(4, (index, store) => (index === 2 ? store.destroy(key, AT) : store.renew(key, at)));
        await scene.isGone(key);
      }
    },
  },
  {
    promise: "sweep removes no session whose renewal was accepted at the same time",
    needs: "sweep",
    run: async (scene) => {
      const now = START + 10;
      const sessions: NewSession[] = [];
      for (let index = 0; index < 6; index += 1) sessions.push(await scene.create({ expiresAt: now }));
      const at = { now: now - 1, lastUsedAt: now - 1, expiresAt: START + HOUR };
      const renewed = await scene.parallel<boolean | number>(7, (index, store) => {
        const session = sessions[index < 3 ? index : index - 1];
        return index === 3 || session === undefined ? store.sweep?.(now, 100) : store.renew(session.key, at);
      });
      for (const [index, { key }] of sessions.entries()) {
        const accepted = renewed[index < 3 ? index : index + 1] === true;
        same(await scene.isAlive(key, now), accepted, "whether the session lives, against what renew answered");
      }
    },
  },
  {
    promise: "of creates with one key one makes the record",
    run: async (scene) => {
      const key = scene.key();
      const answers = await scene.parallel<Created>(6, (index, store) =>
        store.create(scene.session({ key, fields: { by: String(index) } }), { operation: newOperation(), now: START }),
      );
      same(answers.filter(({ ok }) => ok).length, 1, "the number that were accepted");
      same(await scene.fieldsOf(key), { by: String(answers.findIndex(({ ok }) => ok)) }, "the fields");
    },
  },
  {
    promise: "rotations at once end in one key",
    run: async (scene) => {
      for (const leaves of ["alias", "tombstone"]) {
        const { key, handle } = await scene.create();
        const keys = Array.from({ length: 6 }, () => scene.key());
        const answers = await scene.parallel<Rotated>(6, (index, store) => {
          const newKey = keys[index] as Key;
          const leave = leaves === "alias" ? scene.alias(newKey) : scene.tombstone();
          return store.rotate(key, newKey, scene.change({ set: { by: String(index) } }), { leave });
        });
        same(answers.filter(({ ok }) => ok).length, 1, "the number that were accepted");
        const winner = keys[answers.findIndex(({ ok }) => ok)] as Key;
        for (const other of keys) if (other !== winner) same(await scene.store.load(other, START), null, "another key");
        for (const answer of answers) if (!answer.ok) same(refusal(answer), refusalOf(leaves, winner), "a refusal");
        same((await scene.stored(winner)).handle, handle, "the handle of the one that is left");
      }
    },
  },
  {
    promise: "a rotation that races with a logout leaves no live session behind an alias",
    run: async (scene) => {
      for (let round = 0; round < 5; round += 1) {
        const { key } = await scene.create();
        const newKey = scene.key();
        const leave = scene.alias(newKey);
        const rotate = (store: SessionStore): unknown => store.rotate(key, newKey, scene.change(), { leave });
        await scene.parallel(2, (index, store) => (index === round % 2 ? rotate(store) : store.destroy(key, AT)));
        check(!(await scene.isAlive(key)) && !(await scene.isAlive(newKey)), "the session ended");
      }
    },
  },
  {
    promise:
      "a rotation whose session is destroyed at the same time moved it before, or answers gone and makes nothing",
    run: async (scene) => {
      for (let round = 0; round < 6; round += 1) {
        const { key, handle } = await scene.create({ fields: { a: "1", b: "1" } });
        const newKey = scene.key();
        const change = scene.change({ set: { b: "2" } });
        const leave = scene.tombstone();
        const answers = await scene.parallel<Rotated | Gone | boolean>(2, (index, store) =>
          index === round % 2 ? store.rotate(key, newKey, change, { leave }) : store.destroy(key, AT),
        );
        const [rotated, destroyed] = round % 2 === 0 ? answers : answers.toReversed();
        check(!(await scene.isAlive(key)), "the old key is dead");
        if (destroyed === true) {
          same(rotated, { ok: false, reason: "gone" }, "rotate");
          same(await scene.store.load(newKey, START), null, "the key that rotate would have moved it to");
        } else {
          const { fields, handle: kept } = await scene.stored(newKey);
          same([{ ...fields }, kept], [{ a: "1", b: "2" }, handle], "the fields and the handle");
        }
      }
    },
  },
  {
    promise: "every accepted change is in the record that a rotation moved",
    run: async (scene) => {
      const { key } = await scene.create({ fields: {} });
      const newKey = scene.key();
      const answers = await scene.parallel<Committed>(9, (index, store) => {
        const change = scene.change({ set: { [`field ${index}`]: "1" } });
        return index === 4
          ? store.rotate(key, newKey, change, { leave: scene.tombstone() })
          : store.commit(key, change);
      });
      const accepted = answers.flatMap(({ ok }, index) => (ok ? [`field ${index}`] : []));
      same(Object.keys(await scene.fieldsOf(newKey)).toSorted(), accepted.toSorted(), "the fields");
    },
  },
]);

/** Adds one, as often as it takes. */
async function increment(scene: Scene, store: SessionStore, key: Key): Promise<void> {
  const found = await store.load(key, START);
  let text: string | null = found?.kind === "session" ? (found.fields["n"] ?? null) : null;
  for (let attempt = 0; attempt < 1000; attempt += 1) {
    const change = scene.change({ expect: { n: text }, set: { n: String(Number(text) + 1) } });
    const answer: Committed | Gone | Conflict | { ok: false; reason: "moved" } = await store.commit(key, change);
    if (answer.ok) return;
    check(answer.reason === "conflict", "a commit that was too late answers a conflict");
    text = answer.current["n"] ?? null;
  }
  throw new Error("somebody gets through");
}

function refusal(answer: object): unknown {
  const { reason, to } = answer as { reason?: string; to?: Key };
  return { reason, to };
}

function refusalOf(leaves: string, winner: Key): unknown {
  return leaves === "alias" ? { reason: "moved", to: winner } : { reason: "gone", to: undefined };
}
