import { expect } from "vitest";
import type { SessionStore } from "../../src/core/session-store.ts";
import { createSessions } from "../../src/create-sessions.ts";
import { Browser } from "../support/browser.ts";

/** Names that reach a prototype where somebody walks a plain object with them. */
export const NAMES = [
  "__proto__",
  "constructor",
  "prototype",
  "toString",
  "hasOwnProperty",
  "valueOf",
  "__defineGetter__",
];

/** Fields named like members of objects are fields of their record and of no other. */
export async function expectOwnFields(store: SessionStore): Promise<void> {
  const now = Date.now();
  const instants = { createdAt: now, lastUsedAt: now, expiresAt: now + 60_000 };
  const fields = JSON.parse('{"__proto__":"{\\"polluted\\":1}","n":"1"}') as Record<string, string>;
  await store.create({ key: "v1.aaa.a", fields, handle: "ha", ...instants }, { operation: "1", now });
  await store.create({ key: "v1.bbb.b", fields: { n: "2" }, handle: "hb", ...instants }, { operation: "2", now });
  const read = async (key: string): Promise<unknown> => {
    const found = await store.load(key, now);
    return found?.kind === "session" && new Map(Object.entries(found.fields));
  };
  const set = Object.fromEntries(NAMES.map((name) => [name, `"${name}"`]));
  expect(await store.commit("v1.bbb.b", { operation: "3", now, set })).toMatchObject({ ok: true });
  expect(await read("v1.bbb.b")).toEqual(new Map([...Object.entries(set), ["n", "2"]]));
  const expected = Object.fromEntries([["__proto__", '"other"']]);
  expect(await store.commit("v1.bbb.b", { operation: "4", now, expect: expected, set: { n: "3" } })).toMatchObject({
    reason: "conflict",
  });
  expect(await store.commit("v1.bbb.b", { operation: "5", now, remove: NAMES })).toMatchObject({ ok: true });
  expect(await read("v1.bbb.b")).toEqual(new Map([["n", "2"]]));
  expect(await read("v1.aaa.a")).toEqual(new Map(Object.entries(fields)));
}

/** A user named like a member of objects has sessions, metadata and a generation of his own, and so has everybody else. */
export async function expectOwnUsers(store: SessionStore): Promise<void> {
  const sessions = createSessions({ secretKey: "a secret of more than thirty-two bytes", logLevel: "silent", store });
  const ann = new Browser(sessions);
  await ann.visit((session) => session.login("ann", { metadata: { device: "a" } }));
  for (const name of NAMES) {
    const named = new Browser(sessions);
    expect(await sessions.generation(name)).toBe(0);
    expect((await sessions.forUser(name).list()).sessions).toEqual([]);
    const metadata = JSON.parse(`{"${name}":"x","__proto__":"y"}`) as Record<string, string>;
    await named.visit((session) => session.login(name, { metadata }));
    const { sessions: listed } = await sessions.forUser(name).list();
    const kept = listed.map((one) => new Map(Object.entries(one.metadata)));
    expect(kept).toEqual([new Map(Object.entries(metadata))]);
    expect(await sessions.revoke(name)).toBe(false);
    expect(await sessions.forUser("ann").revoke(name)).toBe(false);
    expect(await sessions.forUser(name).revokeAll()).toBe(1);
    expect((await named.visit((session) => session.info.userId)).result).toBeNull();
    expect((await ann.visit((session) => session.info.userId)).result).toBe("ann");
  }
  expect(await sessions.generation("ann")).toBe(0);
  await sessions.close();
}
