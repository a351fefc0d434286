/** Records that were changed by somebody else do not open: not one part of them is believed by itself. */
import { beforeEach, describe, expect, it } from "vitest";
import { createSessions, type Sessions } from "../../src/create-sessions.ts";
import { sealSuccessor } from "../../src/core/sealed-id.ts";
import { newId } from "../../src/core/session-id.ts";
import { MemoryStore } from "../../src/stores/memory.ts";
import { HostileStore } from "../../src/testing/hostile-store.ts";
import { ManualClock } from "../../src/testing/manual-clock.ts";
import { Browser } from "../support/browser.ts";

const secretKey = "a secret of more than thirty-two bytes";
const NO_TEXT: readonly unknown[] = [undefined, null, 7, {}];
const NO_INSTANT: readonly unknown[] = [undefined, null, "1700000000000", Number.NaN, Infinity, {}];

const PARTS: Readonly<Record<string, readonly unknown[]>> = {
  kind: [undefined, null, "sessions", 7],
  fields: [undefined, null, "a text", { n: 7 }, { n: null }, { n: "1", m: {} }],
  handle: NO_TEXT,
  createdAt: NO_INSTANT,
  lastUsedAt: NO_INSTANT,
  expiresAt: NO_INSTANT,
  rotatedAt: [null, "1700000000000", {}],
  binding: [undefined, "ann", 7],
};
const BINDING: Readonly<Record<string, readonly unknown[]>> = {
  userId: NO_TEXT,
  boundAt: NO_INSTANT,
  generation: NO_INSTANT,
  metadata: [undefined, null, "a text"],
  maxAge: [undefined, "60", Number.NaN, {}],
};
const ALIAS: Readonly<Record<string, readonly unknown[]>> = { to: NO_TEXT, sealedId: NO_TEXT, expiresAt: NO_INSTANT };
const TOMBSTONE: Readonly<Record<string, readonly unknown[]>> = {
  reason: [undefined, null, "expired", 7],
  expiresAt: NO_INSTANT,
};

const clock = new ManualClock();
let store: HostileStore;
let sessions: Sessions;
let browser: Browser;

beforeEach(async () => {
  store = new HostileStore(new MemoryStore());
  sessions = createSessions({ secretKey, store, now: clock.now, logLevel: "silent", rotateEvery: 900 });
  browser = new Browser(sessions);
  await browser.visit((session) => session.login("ann"));
});

type Found = Record<string, unknown>;

/** What a request gets of a record that is changed on its way. */
async function read(change: (found: Found) => unknown): Promise<unknown> {
  store.alter("load", (found: Found | null) => (found === null ? null : change(found)));
  try {
    return (await browser.visit((session) => session.info.cause)).result;
  } catch (error) {
    return (error as { code?: unknown }).code;
  } finally {
    store.heal();
  }
}

const cases = (parts: Readonly<Record<string, readonly unknown[]>>) =>
  Object.entries(parts).flatMap(([part, values]) => values.map((value) => ({ part, value })));

describe("a session's record", () => {
  it.each(cases(PARTS))("with $part $value is a failure of the store", async ({ part, value }) => {
    expect(await read((found) => ({ ...found, [part]: value }))).toBe("ERR_SESSION_STORE");
  });

  it.each(cases(BINDING))("with a binding's $part $value is a failure of the store", async ({ part, value }) => {
    const binding = { userId: "ann", boundAt: 1, generation: 0, metadata: {}, maxAge: null };
    expect(await read((found) => ({ ...found, binding }))).toBe("resumed");
    expect(await read((found) => ({ ...found, binding: { ...binding, [part]: value } }))).toBe("ERR_SESSION_STORE");
  });

  it.each([undefined, false, 0, "", "a text", 7, [], () => 1])(
    "that is %s is a failure of the store",
    async (found) => {
      expect(await read(() => found)).toBe("ERR_SESSION_STORE");
    },
  );

  it("opens whole, without rotatedAt, without a user, and with a login's maxAge", async () => {
    expect(await read((found) => found)).toBe("resumed");
    expect(await read(({ rotatedAt: _, ...found }) => found)).toBe("resumed");
    expect(await read((found) => ({ ...found, binding: null }))).toBe("resumed");
    expect(await read((found) => ({ ...found, binding: { ...(found["binding"] as object), maxAge: 60 } }))).toBe(
      "resumed",
    );
    expect(await read(() => null)).toBe("unknown");
  });
});

describe("an alias", () => {
  const until = clock.now() + 60_000;
  const whole = async () => {
    const { result: id } = await browser.visit((session) => session.getSessionId());
    const to = newId();
    return { kind: "alias", to, sealedId: sealSuccessor(id, { id: to, until }), expiresAt: until };
  };

  it.each(cases(ALIAS))("with $part $value is a failure of the store", async ({ part, value }) => {
    const alias = await whole();
    expect(await read(() => ({ ...alias, [part]: value }))).toBe("ERR_SESSION_STORE");
  });

  it("leads on whole", async () => {
    const alias = await whole();
    expect(await read(() => alias)).toBe("unknown");
  });
});

describe("a tombstone", () => {
  const whole = { kind: "tombstone", reason: "revoked", expiresAt: clock.now() + 60_000 };

  it.each(cases(TOMBSTONE))("with $part $value is a failure of the store", async ({ part, value }) => {
    expect(await read(() => ({ ...whole, [part]: value }))).toBe("ERR_SESSION_STORE");
  });

  it.each(["revoked", "rotated"])("says whole that the session was %s", async (reason) => {
    expect(await read(() => ({ ...whole, reason }))).toBe(reason);
  });
});
