/** Fields that a newer version wrote, as while a deployment is under way: an older one leaves them as they are. */
import { describe, expect, it } from "vitest";
import type { Codec } from "../../src/core/codec.ts";
import { FastSessionError } from "../../src/core/errors.ts";
import type { Fields } from "../../src/core/session-record.ts";
import { structuredCodec } from "../../src/core/structured-codec.ts";
import { createSessions, type SessionOptions, type Sessions } from "../../src/create-sessions.ts";
import { MemoryStore } from "../../src/stores/memory.ts";
import { HostileStore } from "../../src/testing/hostile-store.ts";
import { Browser } from "../support/browser.ts";

const secretKey = "a secret of more than thirty-two bytes";
const encryption = { keys: ["an encryption key of thirty-two bytes and more"] };
const NEWER = '{"$instant":"2026-11-24T00:00:00Z"}';

/** A newer version of a codec: it has a tag more. */
const newerCodec: Codec = {
  encode: (value, field) => (value === "now" ? NEWER : structuredCodec.encode(value, field)),
  decode: (text) => (text === NEWER ? "now" : structuredCodec.decode(text)),
  check: (value, field) => structuredCodec.check(value, field),
};

/** An application's own codec says by the same error that a text is too new for it. */
const ownCodec: Codec = {
  encode: (value) => `v1:${JSON.stringify(value)}`,
  decode(text) {
    if (text.startsWith("v2:")) throw new FastSessionError("ERR_SESSION_UNAVAILABLE", "of version 2");
    return JSON.parse(text.replace(/^v1:/, "")) as unknown;
  },
  check: () => undefined,
};

const formats: readonly (readonly [string, Partial<SessionOptions>, string])[] = [
  ["a tag that is not known", { codec: structuredCodec }, NEWER],
  ["such a tag deep inside", { codec: structuredCodec }, `{"a":[{"$map":[[1,${NEWER}]]}]}`],
  ["encryption of a newer version", { encryption }, "e2.abcdef.AAAAAAAA"],
  ["encryption of a version of two digits", { encryption }, "e10.a-completely-new-form"],
  ["the same while plain fields are taken", { encryption: { ...encryption, acceptPlaintext: true } }, "e2.abcdef.AA"],
  ["a newer version of an own codec", { codec: ownCodec }, "v2:1"],
];

async function start(options: Partial<SessionOptions>, text: string) {
  const store = new HostileStore(new MemoryStore(), { local: false });
  const lines: string[] = [];
  const write = (line: string): void => void lines.push(line);
  const logger = { debug: write, info: write, warn: write, error: write };
  const sessions: Sessions = createSessions({ secretKey, store, logger, ...options });
  const events: unknown[] = [];
  sessions.on("newer", ({ field }) => events.push(field));
  sessions.on("corrupt", ({ field }) => events.push(`corrupt ${field}`));
  const browser = new Browser(sessions);
  const { visit } = await browser.visit((session) => void Object.assign(session, { n: 1, prefs: 1 }));
  const key = visit.exchange.state.key as string;
  const put = (set: Fields): unknown => store.commit(key, { operation: `put ${Math.random()}`, now: Date.now(), set });
  await put({ prefs: text });
  const fields = async (of: Browser = browser): Promise<Fields> => {
    const { key: at } = (await of.visit((session) => session.info.isNew)).visit.exchange.state;
    const found = await store.load(at as string, Date.now());
    if (found?.kind !== "session") throw new Error("no session");
    return found.fields;
  };
  return { browser, sessions, events, lines, put, fields, key, store };
}

const refusal = expect.objectContaining({ code: "ERR_SESSION_UNAVAILABLE", status: 503, path: "prefs" });

describe.for(formats)("a field with %s", ([, options, text]) => {
  it("is an error to whoever reads it, and stays as it is", async () => {
    const { browser, events, lines, fields, key, store } = await start(options, text);
    const before = await store.load(key, Date.now());
    await expect(browser.visit((session) => session["prefs"])).rejects.toEqual(refusal);
    await expect(browser.visit((session) => ({ ...session }))).rejects.toEqual(refusal);
    await expect(browser.visit((session) => session.update("prefs", () => 1))).rejects.toEqual(refusal);
    expect(await store.load(key, Date.now())).toEqual(before);
    expect((await fields())["prefs"]).toBe(text);
    expect(events).toEqual(["prefs", "prefs", "prefs"]);
    expect(lines).toEqual([expect.stringContaining("newer version")]);
  });

  it("leaves the others of its session to be read and written", async () => {
    const { browser, fields } = await start(options, text);
    const { result } = await browser.visit((session) => {
      expect(() => session["prefs"]).toThrow(refusal);
      session["m"] = 2;
      return [session.increment("n"), session.has("prefs"), session.info.cause];
    });
    expect(result).toEqual([2, true, "resumed"]);
    expect((await browser.visit((session) => [session["n"], session["m"]])).result).toEqual([2, 2]);
    expect((await fields())["prefs"]).toBe(text);
  });

  it("moves along with a login and a new id, and ends with a logout", async () => {
    const { browser, sessions, fields } = await start(options, text);
    await browser.visit((session) => session.login("ann"));
    await browser.visit((session) => session.regenerate());
    expect((await fields())["prefs"]).toBe(text);
    const { cookie } = browser;
    await browser.visit((session) => session.logout());
    const { result } = await new Browser(sessions, cookie).visit((session) => [
      session.info.userId,
      session.info.cause,
    ]);
    expect(result).toEqual([null, "revoked"]);
    expect(browser.cookie).toBeUndefined();
  });

  it("can be replaced and removed", async () => {
    const { browser, put, fields } = await start(options, text);
    await browser.visit((session) => void (session["prefs"] = 3));
    expect((await browser.visit((session) => session["prefs"])).result).toBe(3);
    await put({ prefs: text });
    await browser.visit((session) => delete session["prefs"]);
    expect(Object.keys(await fields())).toEqual(["n"]);
  });

  it("is not overwritten by an operation that it overtakes", async () => {
    const { browser, put, fields } = await start(options, text);
    await browser.visit((session) => void (session["prefs"] = 3));
    const late = await browser.start();
    late.session.increment("prefs");
    await put({ prefs: text });
    await expect(late.end()).rejects.toEqual(refusal);
    expect((await fields())["prefs"]).toBe(text);
  });
});

it("a session that processes of two versions serve keeps what the newer one wrote", async () => {
  const store = new MemoryStore();
  const older = createSessions({ secretKey, store, codec: structuredCodec, logLevel: "silent" });
  const newer = createSessions({ secretKey, store, codec: newerCodec, logLevel: "silent" });
  const browser = new Browser(newer);
  await browser.visit((session) => void Object.assign(session, { at: "now", n: 1 }));
  for (let n = 2; n < 5; n += 1) {
    const there = new Browser(older, browser.cookie);
    await expect(there.visit((session) => session["at"])).rejects.toMatchObject({ status: 503 });
    expect((await there.visit((session) => session.increment("n"))).result).toBe(n);
    expect((await browser.visit((session) => [session["at"], session["n"]])).result).toEqual(["now", n]);
  }
});

describe.for([
  ["a tag with content that is wrong", { codec: structuredCodec }, '{"$date":"never"}'],
  ["a text that is cut", { codec: structuredCodec }, NEWER.slice(0, -1)],
  ["encryption that does not open", { encryption }, "e1.abcdef.AAAAAAAA"],
  ["encryption of no version", { encryption }, "e.abcdef.AAAAAAAA"],
  ["encryption of version 0", { encryption }, "e0.abcdef.AAAAAAAA"],
  ["a plain text where none is taken", { encryption }, "1"],
] as const)("a broken field, with %s", ([, options, text]) => {
  it("ends its session", async () => {
    const { browser, events, key, store } = await start(options, text);
    expect((await browser.visit((session) => [session["prefs"], session.info.cause])).result).toEqual([
      undefined,
      "corrupt",
    ]);
    expect(events).toEqual(["corrupt prefs"]);
    expect(await store.load(key, Date.now())).toBeNull();
  });
});
