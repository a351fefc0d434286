/**
 * One of each thing that a store keeps, made with names and instants that are always the same, and what all stores must
 * read of it: for the fixtures of what version 1 has written.
 */
import type { Key } from "../../src/core/session-record.ts";
import type { SessionStore } from "../../src/core/session-store.ts";

export const NOW: number = Date.UTC(2030, 0, 1);
const HOUR = 3_600_000;
export const END: number = NOW + 12 * HOUR;

/** Ann's sessions have her tag, as those of everybody who signed in have theirs. */
const key = (tag: string, letter: string): Key => `v1.${tag}.${letter.repeat(43)}`;
export const KEYS = {
  visitor: key("vis", "a"),
  user: key("q2n", "b"),
  moved: key("q2n", "c"),
  loggedIn: key("q2n", "d"),
  leftBehind: key("vis", "e"),
  ended: key("vis", "f"),
} as const;

const FIELDS = { n: "7", text: '"d\u00e9j\u00e0 \ud83c\udf6a \\u0000 \\n"', list: '[1,null,{"a":true}]' };
const times = { createdAt: NOW - HOUR, lastUsedAt: NOW - HOUR, expiresAt: END };
const bind = { userId: "ann", metadata: { device: "a phone", 'odd"\\name': "\u65e5" }, maxAge: null };
const sealedId = "AAECAwQFBgcICQoLdGhlIHNlYWxlZCBpZA";
const tombstone = { kind: "tombstone", reason: "rotated", expiresAt: END } as const;

/** Makes it all, with a store of which nothing else is in use. */
export async function write(store: SessionStore): Promise<void> {
  const at = { now: NOW, tombstoneUntil: END };
  const make = (name: keyof typeof KEYS, fields: Record<string, string>): unknown =>
    store.create(
      { key: KEYS[name], fields, handle: `handle-${name}`, ...times },
      { operation: `make-${name}`, now: NOW },
    );
  await make("visitor", FIELDS);
  await store.commit(KEYS.visitor, { operation: "change", now: NOW, set: { n: "8" }, remove: ["list"] });
  // A session whose id changed in use, and one that a visitor's login made.
  await store.create(
    { key: KEYS.user, fields: FIELDS, handle: "handle-user", ...times },
    { operation: "make-user", now: NOW, bind: { ...bind, maxAge: 86_400_000 } },
  );
  const alias = { kind: "alias", to: KEYS.moved, sealedId, expiresAt: END } as const;
  await store.rotate(KEYS.user, KEYS.moved, { operation: "move", now: NOW, set: { n: "9" } }, { leave: alias });
  await make("leftBehind", { theme: '"dark"' });
  const login = { operation: "log-in", now: NOW, createdAt: NOW };
  await store.rotate(KEYS.leftBehind, KEYS.loggedIn, login, { leave: tombstone, bind });
  await make("ended", FIELDS);
  await store.destroy(KEYS.ended, at);
  if (store.revokeUser !== undefined) await store.revokeUser("bob", at);
}

const session = { kind: "session", createdAt: NOW - HOUR, lastUsedAt: NOW - HOUR, expiresAt: END };

/** What a store that knows users has to answer. */
export const EXPECTED = {
  visitor: { ...session, version: 2, handle: "handle-visitor", binding: null, fields: { n: "8", text: FIELDS.text } },
  user: { kind: "alias", to: KEYS.moved, sealedId, expiresAt: END },
  moved: {
    ...session,
    version: 2,
    handle: "handle-user",
    rotatedAt: NOW,
    binding: { ...bind, maxAge: 86_400_000, boundAt: NOW, generation: 0 },
    fields: { ...FIELDS, n: "9" },
  },
  loggedIn: { ...session, createdAt: NOW, handle: "handle-leftBehind", fields: { theme: '"dark"' } },
  leftBehind: tombstone,
  ended: { ...tombstone, reason: "revoked" },
};

/** What the store reads of it. */
export async function read(store: SessionStore): Promise<Readonly<Record<keyof typeof KEYS, unknown>>> {
  const found = Object.entries(KEYS).map(async ([name, at]) => [name, await store.load(at, NOW)] as const);
  return Object.fromEntries(await Promise.all(found)) as Record<keyof typeof KEYS, unknown>;
}

/** Of the users: who is listed for Ann, and which generations there are. */
export async function readUsers(store: SessionStore): Promise<unknown> {
  const page = await store.listByUser?.("ann", { now: NOW, limit: 9 });
  const generations = [await store.generation?.("ann"), await store.generation?.("bob")];
  return [page?.sessions.map(({ handle }) => handle).toSorted(), generations];
}

export const EXPECTED_USERS = [
  ["handle-leftBehind", "handle-user"],
  [0, 1],
];
