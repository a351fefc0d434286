import { isPlace } from "../core/list-place.ts";
import type { NewSession } from "../core/session-record.ts";
import { check, same } from "./store-contract-assert.ts";
import { each, HOUR, MINUTE, type Scene, START, type StoreCase } from "./store-contract-scene.ts";

/** What binding to users and their lists promise. */
export const userCases: readonly StoreCase[] = each({ needs: "userIndex" }, [
  {
    promise: "a session is bound when it is created",
    run: async (scene) => {
      const user = scene.user();
      const metadata = { agent: 'Firefox "139"', label: "büro", "": "" };
      const { key } = await scene.create({}, scene.bind(user, { metadata, maxAge: 3600 }));
      const binding = { userId: user, boundAt: START, generation: 0, metadata, maxAge: 3600 };
      same((await scene.stored(key)).binding, binding, "the binding");
    },
  },
  {
    promise: "a session is bound by a rotation, from its instant on",
    run: async (scene) => {
      const user = scene.user();
      const { key, handle } = await scene.create();
      same(await scene.handles(user), [], "the list before the login");
      const newKey = await scene.rotate(key, { now: START + 5, set: { b: "1" } }, scene.bind(user));
      const { binding, fields } = await scene.stored(newKey);
      same(binding, { userId: user, boundAt: START + 5, generation: 0, metadata: {}, maxAge: null }, "the binding");
      same([{ ...fields }, await scene.handles(user)], [{ a: "1", b: "1" }, [handle]], "the fields and the list");
    },
  },
  {
    promise: "a binding stays through a rotation that names none",
    run: async (scene) => {
      const user = scene.user();
      const { key, handle } = await scene.create({}, scene.bind(user, { metadata: { label: "x" }, maxAge: 60 }));
      const { binding } = await scene.stored(key);
      const newKey = scene.key(user);
      const change = scene.change({ now: START + 5, clear: true });
      const answer = await scene.store.rotate(key, newKey, change, { leave: scene.tombstone() });
      check(answer.ok, "rotate moves the record");
      same((await scene.stored(newKey)).binding, binding, "the binding");
      same(await scene.handles(user), [handle], "the list");
    },
  },
  {
    promise: "a rotation with a binding of null unbinds",
    run: async (scene) => {
      const user = scene.user();
      const { key } = await scene.create({}, scene.bind(user));
      const newKey = scene.key(user);
      await scene.store.rotate(key, newKey, scene.change(), { leave: scene.tombstone(), bind: null });
      same((await scene.stored(newKey)).binding, null, "the binding");
      same(await scene.handles(user), [], "the list");
      const at = { now: START, tombstoneUntil: START + MINUTE };
      await scene.indexed.revokeUser(user, at);
      check(await scene.isAlive(newKey), "the session outlives a revoke of who was its user");
    },
  },
  {
    promise: "a login as another user leaves the first one's list",
    run: async (scene) => {
      const [ann, bob] = [scene.user(), scene.user()];
      const { key, handle } = await scene.create({}, scene.bind(ann));
      const newKey = await scene.rotate(key, {}, scene.bind(bob));
      same([await scene.handles(ann), await scene.handles(bob)], [[], [handle]], "both lists");
      same((await scene.stored(newKey)).binding?.userId, bob, "the user");
    },
  },
  {
    promise: "a user's list has his sessions, what is known about them, and nothing of their data",
    run: async (scene) => {
      const [ann, bob] = [scene.user(), scene.user()];
      const metadata = { agent: "x" };
      const one = await scene.create({ createdAt: START - 5, expiresAt: START + HOUR }, scene.bind(ann, { metadata }));
      await scene.create({}, scene.bind(bob));
      await scene.create();
      await scene.store.renew(one.key, { now: START, lastUsedAt: START + 1, expiresAt: START + 2 * HOUR });
      const { sessions, after } = await scene.indexed.listByUser(ann, { now: START, limit: 10 });
      const known = { handle: one.handle, createdAt: START - 5, boundAt: START - 5, lastUsedAt: START + 1, metadata };
      same(sessions, [{ ...known, expiresAt: START + 2 * HOUR }], "the sessions");
      same(after, null, "where the list goes on");
    },
  },
  {
    promise: "a list comes in pages, every session once, in the same order each time",
    run: async (scene) => {
      const { user, sessions } = await scene.loggedIn(7);
      const seen = await inPages(scene, user, 3);
      same(seen.toSorted(), sessions.map(({ handle }) => handle).toSorted(), "the sessions of all pages");
      same(await inPages(scene, user, 2), seen, "the same in smaller pages");
      same(await inPages(scene, user, 7), seen, "the same in one page");
    },
  },
  {
    promise: "pages go on where they were when sessions end or begin between them",
    run: async (scene) => {
      const { user, sessions } = await scene.loggedIn(6);
      const first = await scene.indexed.listByUser(user, { now: START, limit: 2 });
      const listed = first.sessions.map(({ handle }) => handle);
      const others = sessions.filter(({ handle }) => !listed.includes(handle));
      for (const { key, handle } of sessions) if (listed.includes(handle)) await scene.destroy(key);
      const [ended, ...left] = others;
      await scene.destroy((ended as NewSession).key);
      const begun = await scene.create({}, scene.bind(user));
      const rest = await inPages(scene, user, 2, first.after);
      const expected = left.map(({ handle }) => handle).toSorted();
      same(rest.filter((handle) => handle !== begun.handle).toSorted(), expected, "the sessions of the other pages");
    },
  },
  {
    promise: "a list goes on from any place of the form that its pages answer",
    run: async (scene) => {
      const { user } = await scene.loggedIn(3);
      const { after } = await scene.indexed.listByUser(user, { now: START, limit: 1 });
      check(isPlace(after), "a page answers an instant, ~ and 1 to 128 letters, digits, _, . and -");
      // Nobody's: a browser may bring what it likes.
      const [boundAt = ""] = after.split("~");
      for (const row of ["0", "x", "-1", "1.5", "e9", ".", "9".repeat(128), "v1.abc._-"]) {
        for (const instant of ["0", "0.5", boundAt, "9".repeat(16)]) {
          const page = await scene.indexed.listByUser(user, { now: START, after: `${instant}~${row}`, limit: 9 });
          check(page.sessions.length <= 3 && page.after === null, "a place of nobody leads to a page");
        }
      }
      same((await scene.handles(user)).length, 3, "the list");
    },
  },
  {
    promise: "users differ in every character of their ids",
    run: async (scene) => {
      const base = scene.user();
      const ids = ["", "A", "a", "a ", "é", "e\u0301", "'", "%", "_", ":", "🧵"].map((end) => `${base}${end}`);
      ids.push("__proto__", "constructor", "0", "00");
      const handles: string[] = [];
      for (const id of ids) handles.push((await scene.create({}, scene.bind(id))).handle);
      const listed = [];
      for (const id of ids) listed.push(await scene.handles(id));
      same(
        listed,
        handles.map((handle) => [handle]),
        "the list of each",
      );
    },
  },
  {
    promise: "what ended, expired or moved is not in the list",
    run: async (scene) => {
      const { user, sessions } = await scene.loggedIn(4);
      const [destroyed, rotated, moved, kept] = sessions as [NewSession, NewSession, NewSession, NewSession];
      await scene.create({ expiresAt: START + 1 }, scene.bind(user));
      await scene.destroy(destroyed.key);
      const newKey = scene.key(user);
      await scene.store.rotate(rotated.key, newKey, scene.change(), { leave: scene.tombstone() });
      const movedKey = scene.key(user);
      await scene.store.rotate(moved.key, movedKey, scene.change(), { leave: scene.alias(movedKey) });
      const listed = (await scene.handles(user, START + 1)).toSorted();
      same(listed, [rotated.handle, moved.handle, kept.handle].toSorted(), "the list");
      await scene.store.sweep?.(START + 1, 100);
      same((await scene.handles(user, START + 1)).toSorted(), listed, "the list after a sweep");
      same(await scene.handles(user, START + HOUR), [], "the list when all have expired");
    },
  },
]);

/** Handles by following the pages, at most 50 of them. */
async function inPages(scene: Scene, user: string, limit: number, start: string | null = null): Promise<string[]> {
  const handles: string[] = [];
  let after = start;
  for (let round = 0; round < 50; round += 1) {
    const page = await scene.indexed.listByUser(user, { now: START, after, limit });
    check(page.sessions.length <= limit, "a page is no longer than its limit");
    handles.push(...page.sessions.map(({ handle }) => handle));
    after = page.after;
    if (after === null) return handles;
  }
  throw new Error("the pages of a list come to an end");
}
