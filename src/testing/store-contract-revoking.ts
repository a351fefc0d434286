import { newOperation } from "../core/session-id.ts";
import type { NewSession } from "../core/session-record.ts";
import { check, same } from "./store-contract-assert.ts";
import { each, MINUTE, START, type StoreCase } from "./store-contract-scene.ts";

const AT = { now: START, tombstoneUntil: START + MINUTE };
const REVOKED = { ok: false, reason: "rejected", why: "revoked" };

/** What ending sessions from outside promises: by user, by handle, by generation. */
export const revokingCases: readonly StoreCase[] = each({ needs: "userIndex" }, [
  {
    promise: "revokeUser ends every session of the user and answers their keys",
    run: async (scene) => {
      const { user, sessions } = await scene.loggedIn(2);
      const { keys } = await scene.indexed.revokeUser(user, AT);
      same(keys.toSorted(), sessions.map(({ key }) => key).toSorted(), "the keys");
      for (const { key } of sessions) await scene.isGone(key);
      same(await scene.handles(user), [], "the list");
    },
  },
  {
    promise: "a revoked session says that it was revoked",
    run: async (scene) => {
      const { user, sessions } = await scene.loggedIn(2);
      await scene.indexed.revokeUser(user, AT);
      for (const { key } of sessions) {
        const found = await scene.store.load(key, START);
        check(found?.kind === "tombstone" && found.reason === "revoked", "load answers a tombstone, revoked");
        check(!("fields" in found), "a tombstone has no data");
      }
    },
  },
  {
    promise: "revokeUser spares the exception, which goes on under the new generation",
    run: async (scene) => {
      const { user, sessions } = await scene.loggedIn(2);
      const [ended, kept] = sessions as [NewSession, NewSession];
      const { keys, generation } = await scene.indexed.revokeUser(user, { ...AT, except: kept.key });
      same(keys, [ended.key], "the keys");
      await scene.isGone(ended.key);
      await scene.commit(kept.key, { set: { a: "2" } });
      same((await scene.stored(kept.key)).binding?.generation, generation, "the generation of the one that stays");
      same(await scene.handles(user), [kept.handle], "the list");
      await scene.indexed.revokeUser(user, AT);
      await scene.isGone(kept.key);
    },
  },
  {
    promise: "revokeUser leaves other users and anonymous sessions alone",
    run: async (scene) => {
      const { user } = await scene.loggedIn(2);
      const other = await scene.create({}, scene.bind(scene.user()));
      const anonymous = await scene.create();
      await scene.indexed.revokeUser(user, { ...AT, except: other.key });
      await scene.commit(other.key, { set: { a: "2" } });
      await scene.commit(anonymous.key, { set: { a: "2" } });
    },
  },
  {
    promise: "revokeUser ends a session that was rotated since its login",
    run: async (scene) => {
      const user = scene.user();
      const { key } = await scene.create({}, scene.bind(user));
      const newKey = scene.key(user);
      await scene.store.rotate(key, newKey, scene.change({ createdAt: START + 1 }), { leave: scene.tombstone() });
      await scene.indexed.revokeUser(user, AT);
      await scene.isGone(newKey);
    },
  },
  {
    promise: "a user's generation is 0 until a revoke raises it, and each one does",
    run: async (scene) => {
      const user = scene.user();
      same(await scene.indexed.generation(user), 0, "the generation of an unknown user");
      await scene.create({}, scene.bind(user));
      same(await scene.indexed.generation(user), 0, "the generation of a user who was never revoked");
      const first = await scene.indexed.revokeUser(user, AT);
      const second = await scene.indexed.revokeUser(user, AT);
      check(0 < first.generation && first.generation < second.generation, "each revoke raises it");
      same(await scene.indexed.generation(user), second.generation, "the generation");
    },
  },
  {
    promise: "a login that began before a revoke is refused, and changes nothing",
    run: async (scene) => {
      const user = scene.user();
      const since = await scene.indexed.generation(user);
      await scene.indexed.revokeUser(user, AT);
      const bind = scene.bind(user, { since });
      const session = scene.session({ key: scene.key(user) });
      same(await scene.store.create(session, { operation: newOperation(), now: START, bind }), REVOKED, "create");
      same(await scene.store.load(session.key, START), null, "the key of the refused login");
      const visitor = await scene.create();
      const newKey = scene.key(user);
      const change = scene.change({ set: { a: "2" } });
      same(
        await scene.store.rotate(visitor.key, newKey, change, { leave: scene.tombstone(), bind }),
        REVOKED,
        "rotate",
      );
      same(await scene.fieldsOf(visitor.key), { a: "1" }, "the visitor's record");
      same(await scene.store.load(newKey, START), null, "the key it would have had");
    },
  },
  {
    promise: "a login that began after a revoke is admitted, under the new generation",
    run: async (scene) => {
      const { user } = await scene.loggedIn(2);
      const { generation } = await scene.indexed.revokeUser(user, AT);
      const { key } = await scene.create({}, scene.bind(user, { since: generation }));
      const visitor = await scene.create();
      const newKey = await scene.rotate(visitor.key, {}, scene.bind(user));
      for (const bound of [key, newKey]) {
        await scene.commit(bound, { set: { a: "2" } });
        same((await scene.stored(bound)).binding?.generation, generation, "the generation of the binding");
      }
    },
  },
  {
    promise: "revokeHandle ends the session of that public name and answers its key",
    run: async (scene) => {
      const { user, sessions } = await scene.loggedIn(2);
      const [ended, kept] = sessions as [NewSession, NewSession];
      same(await scene.indexed.revokeHandle(ended.handle, AT), ended.key, "revokeHandle");
      await scene.isGone(ended.key);
      const tombstone = { kind: "tombstone", reason: "revoked", expiresAt: AT.tombstoneUntil };
      same({ ...(await scene.store.load(ended.key, START)) }, tombstone, "load");
      same(await scene.handles(user), [kept.handle], "the list");
    },
  },
  {
    promise: "revokeHandle answers null for a name that nobody has or whose session ended",
    run: async (scene) => {
      same(await scene.indexed.revokeHandle("nobody", AT), null, "revokeHandle of an unknown name");
      const { user, sessions } = await scene.loggedIn(2);
      const [destroyed, expired] = sessions as [NewSession, NewSession];
      await scene.destroy(destroyed.key);
      same(await scene.indexed.revokeHandle(destroyed.handle, AT), null, "revokeHandle of a destroyed session");
      const late = { now: expired.expiresAt, tombstoneUntil: expired.expiresAt + MINUTE };
      same(await scene.indexed.revokeHandle(expired.handle, late), null, "revokeHandle of an expired session");
      const other = await scene.create({}, scene.bind(user));
      await scene.indexed.revokeUser(user, AT);
      same(await scene.indexed.revokeHandle(other.handle, AT), null, "revokeHandle of a revoked session");
    },
  },
  {
    promise: "a handle names its session after a rotation, too",
    run: async (scene) => {
      const user = scene.user();
      const { key, handle } = await scene.create({}, scene.bind(user));
      const newKey = scene.key(user);
      await scene.store.rotate(key, newKey, scene.change(), { leave: scene.tombstone() });
      same(await scene.indexed.revokeHandle(handle, AT), newKey, "revokeHandle");
      await scene.isGone(newKey);
    },
  },
]);
