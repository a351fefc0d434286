import { newOperation } from "../core/session-id.ts";
import { check, same } from "./store-contract-assert.ts";
import { each, HOUR, MINUTE, type Scene, START, type StoreCase } from "./store-contract-scene.ts";

/** How many of a record's operations are remembered at least. */
const REMEMBERED = 8;

/**
 * What a store promises of calls that arrive again: late, after others, or by another process's connection. The core
 * sends a call whose outcome it does not know again under its operation id, and counts on these.
 */
export const repeatCases: readonly StoreCase[] = each({ needs: "replay", race: true }, [
  {
    promise: `a commit that arrives again after ${REMEMBERED - 1} others is applied once`,
    run: async (scene) => {
      const { key } = await scene.create({ fields: { n: "0" } });
      const change = scene.change({ expect: { n: "0" }, set: { n: "1" } });
      check((await scene.store.commit(key, change)).ok, "commit changes a live record");
      for (let n = 1; n < REMEMBERED; n += 1) await scene.commit(key, { set: { n: String(n + 1) } });
      check((await scene.other.commit(key, change)).ok, "the second arrival is answered as accepted");
      same(await scene.fieldsOf(key), { n: String(REMEMBERED) }, "the fields");
    },
  },
  {
    promise: "a commit that was refused is judged anew when it arrives again",
    run: async (scene) => {
      const { key } = await scene.create({ fields: { n: "1" } });
      const change = scene.change({ expect: { n: "0" }, set: { n: "5" } });
      const refused = { ok: false, reason: "conflict", current: { n: "1" } };
      same(await scene.store.commit(key, change), refused, "commit");
      same(await scene.other.commit(key, change), refused, "the second arrival");
      await scene.commit(key, { set: { n: "0" } });
      check((await scene.other.commit(key, change)).ok, "its expectation holding, commit changes a live record");
      same(await scene.fieldsOf(key), { n: "5" }, "the fields");
    },
  },
  {
    promise: "a record's operations go with it through a rotation",
    run: async (scene) => {
      const { key } = await scene.create({ fields: { n: "0" } });
      const change = scene.change({ expect: { n: "0" }, set: { n: "1" } });
      check((await scene.store.commit(key, change)).ok, "commit changes a live record");
      const { newKey } = await scene.moveOn(key);
      await scene.commit(newKey, { set: { n: "2" } });
      check((await scene.other.commit(newKey, change)).ok, "the second arrival, under the new key, is accepted");
      same(await scene.fieldsOf(newKey), { n: "2" }, "the fields");
    },
  },
  {
    promise: "a create that arrives again leaves what was done since as it is",
    run: async (scene) => {
      const session = scene.session({ fields: { n: "0" } });
      const options = { operation: newOperation(), now: START };
      const first = await scene.store.create(session, options);
      await scene.commit(session.key, { set: { n: "1" } });
      same(await scene.other.create(session, options), first, "the second answer");
      same(await scene.fieldsOf(session.key), { n: "1" }, "the fields");
    },
  },
  {
    promise: "a call that arrives again after the session's end brings nothing back",
    run: async (scene) => {
      const session = scene.session();
      const options = { operation: newOperation(), now: START };
      await scene.store.create(session, options);
      const change = scene.change({ set: { a: "2" } });
      await scene.store.commit(session.key, change);
      const newKey = scene.key();
      const move = scene.change({ set: { a: "3" } });
      const leave = { leave: scene.tombstone() };
      check((await scene.store.rotate(session.key, newKey, move, leave)).ok, "rotate moves a live record");
      await scene.destroy(newKey);
      await scene.other.create(session, options);
      await scene.other.commit(session.key, change);
      await scene.other.rotate(session.key, newKey, move, leave);
      await scene.isGone(session.key);
      await scene.isGone(newKey);
    },
  },
  {
    promise: "a rotate that arrives again moves once, also after changes under the new key",
    run: async (scene) => {
      for (const leaves of ["tombstone", "alias"]) {
        const { key } = await scene.create({ fields: { n: "0" } });
        const newKey = scene.key();
        const leave = leaves === "alias" ? scene.alias(newKey) : scene.tombstone();
        const change = scene.change({ expect: { n: "0" }, set: { n: "1" } });
        check((await scene.store.rotate(key, newKey, change, { leave })).ok, "rotate moves a live record");
        await scene.commit(newKey, { set: { n: "2" } });
        const again = await scene.other.rotate(key, newKey, change, { leave });
        check(again.ok, `the second arrival is answered as accepted, though the old key holds the ${leaves}`);
        same(await scene.fieldsOf(newKey), { n: "2" }, "the fields");
        same({ ...(await scene.store.load(key, START)) }, leave, "what stands under the old key");
      }
    },
  },
  {
    promise: "logins that arrive again bind once, and end no further session of the user's",
    needs: "userIndex",
    run: async (scene) => {
      if (scene.store.capabilities.local) return;
      await loginsTwice(scene);
    },
  },
]);

async function loginsTwice(scene: Scene): Promise<void> {
  const { user, sessions } = await scene.loggedIn(3);
  const bind = scene.bind(user, {
    cap: { max: 3, policy: "evict-oldest", tombstoneUntil: START + MINUTE },
  });
  const created = scene.session({ key: scene.key(user), handle: `created-${newOperation()}` });
  const options = { operation: newOperation(), now: START, bind };
  const first = await scene.store.create(created, options);
  same(await scene.other.create(created, options), first, "the second answer of create");

  const anonymous = await scene.create();
  const newKey = scene.key(user);
  const change = scene.change({ createdAt: START, expiresAt: START + HOUR });
  const leave = { leave: scene.tombstone(), bind };
  const second = await scene.store.rotate(anonymous.key, newKey, change, leave);
  same(await scene.other.rotate(anonymous.key, newKey, change, leave), second, "the second answer of rotate");
  const left = [sessions[2]?.handle, created.handle, anonymous.handle];
  const byText = (one = "", other = ""): number => (one < other ? -1 : 1);
  same((await scene.handles(user)).toSorted(byText), left.toSorted(byText), "the user's sessions");
}
