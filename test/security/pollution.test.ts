import { afterEach, describe, expect, it } from "vitest";
import { structuredCodec } from "../../src/core/structured-codec.ts";
import { createSessions, type SessionOptions } from "../../src/create-sessions.ts";
import { TimedSignatureSerializer } from "../../src/http/timed-signature-serializer.ts";
import { fromExpressStore } from "../../src/stores/express-store.ts";
import { MemoryStore } from "../../src/stores/memory.ts";
import { fromSimpleStore } from "../../src/stores/simple.ts";
import { SqliteStore } from "../../src/stores/sqlite.ts";
import { Browser } from "../support/browser.ts";
import { unpolluted } from "../fuzz/target.ts";
import { expectOwnFields, expectOwnUsers, NAMES } from "./polluted-store.ts";

const secretKey = "a secret of more than thirty-two bytes";
const hostile = '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}';
const make = (options: Partial<SessionOptions> = {}) => createSessions({ secretKey, logLevel: "silent", ...options });

afterEach(() => {
  unpolluted();
  expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  expect(([] as unknown as Record<string, unknown>)["polluted"]).toBeUndefined();
});

/** Objects by id, as a program of its own might keep them: what is read comes from JSON. */
function jsonStore() {
  const texts = new Map<string, string>();
  return {
    texts,
    hasSessionId: (id: string) => texts.has(id),
    createStore: (id: string) => void texts.set(id, "{}"),
    getStore: (id: string) => JSON.parse(texts.get(id) ?? "null") as Record<string, unknown> | null,
    saveStore: (id: string, data: object) => void texts.set(id, JSON.stringify(data)),
    gc: () => undefined,
  };
}

describe("what a handler is given to write", () => {
  it("is no way to a prototype by its name", async () => {
    const sessions = make();
    const mallory = new Browser(sessions);
    const ann = new Browser(sessions);
    await ann.visit((session) => void (session["cart"] = [1]));
    const { result } = await mallory.visit((session) => {
      const tries: (() => unknown)[] = [
        () => (session["__proto__"] = { polluted: 1 }),
        () => session.set("__proto__", { polluted: 1 }),
        () => session.update("__proto__", () => ({ polluted: 1 })),
        () => session.append("__proto__", 1),
        () => session.increment("__proto__"),
        () => session.flash("__proto__", "x"),
        () => session.delete("__proto__"),
        () => (session.data["__proto__"] = { polluted: 1 }),
        () => Object.assign(session, JSON.parse(hostile)),
        () => Object.setPrototypeOf(session, { polluted: 1 }),
        () => Object.defineProperty(session, "__proto__", { value: 1 }),
        () => (session["constructor"] = 1 as never),
      ];
      return tries.filter((one) => {
        try {
          one();
          return true;
        } catch {
          return false;
        }
      });
    });
    expect(result.map(String)).toEqual([]);
    expect((await ann.visit((session) => ({ ...session }))).result).toEqual({ cart: [1] });
    expect((await mallory.visit((session) => Object.keys({ ...session }))).result).toEqual([]);
  });

  it("is refused with such a key inside, and changes nothing", async () => {
    const browser = new Browser(make());
    await expect(browser.visit((session) => session.set("form", JSON.parse(hostile)))).rejects.toMatchObject({
      code: "ERR_SESSION_VALUE",
    });
    await expect(browser.visit((session) => session.append("list", JSON.parse(hostile)))).rejects.toThrow("__proto__");
    await expect(browser.visit((session) => session.flash("note", JSON.parse(hostile)))).rejects.toThrow("__proto__");
    const structured = new Browser(make({ codec: structuredCodec }));
    await expect(
      structured.visit((session) => session.set("map", new Map([[{}, JSON.parse(hostile)]]))),
    ).rejects.toThrow("__proto__");
  });

  it.each(NAMES.slice(2))("may have the name %s, which is an item like any other", async (name) => {
    const browser = new Browser(make({ store: new SqliteStore(":memory:") }));
    expect((await browser.visit((session) => [session.get(name), session.has(name)])).result).toEqual([
      undefined,
      false,
    ]);
    await browser.visit((session) => (session.set(name, { polluted: 1 }), session.flash(name, "once")));
    const read = await browser.visit((session) => [session.get(name), session.flash(name), session.flash(name)]);
    expect(read.result).toEqual([{ polluted: 1 }, "once", undefined]);
  });
});

describe("what a store gives back", () => {
  it.each(["json", "structured"])("as text (%s) ends that session and nobody else's", async (codec) => {
    const store = new MemoryStore();
    const sessions = make({ store, ...(codec === "structured" ? { codec: structuredCodec } : {}) });
    const ann = new Browser(sessions);
    await ann.visit((session) => void (session["n"] = 1));
    const texts = [
      hostile,
      '{"a":[{"\\u005f_proto__":{"polluted":1}}]}',
      ...(codec === "structured"
        ? [`{"$map":[["a",${hostile}]]}`, `{"$$__proto__":${hostile}}`, `{"$set":[${hostile}]}`]
        : []),
    ];
    for (const text of texts) {
      const browser = new Browser(sessions);
      await browser.visit((session) => void (session["n"] = 1));
      const id = browser.cookie?.slice("sid=".length).split(".")[0] as string;
      void store.commit(sessions.config.keyOf(id), { operation: text, now: Date.now(), set: { n: text } });
      const { result } = await browser.visit((session) => [session.get("n"), session.info.cause]);
      expect(result).toEqual([undefined, "corrupt"]);
    }
    expect((await ann.visit((session) => session["n"])).result).toBe(1);
  });

  it.each([
    ["a program's own store", () => fromSimpleStore(jsonStore())],
    ["MemoryStore", () => new MemoryStore()],
    ["SqliteStore", () => new SqliteStore(":memory:")],
  ])("as a field of such a name is a field of that record (%s)", (_name, open) => expectOwnFields(open()));

  it("as an object of a store for express-session is shown without that key, and written back with it", async () => {
    const kept = new Map<string, string>();
    const express = {
      get: (id: string, done: (error: unknown, session?: unknown) => void) =>
        done(null, JSON.parse(kept.get(id) ?? "null")),
      set: (id: string, session: object, done: () => void) => (kept.set(id, JSON.stringify(session)), done()),
      destroy: (id: string, done: () => void) => (kept.delete(id), done()),
    };
    const sessions = make({ store: fromExpressStore(express, { keys: "id" }) });
    const browser = new Browser(sessions);
    await browser.visit((session) => void (session["n"] = 1));
    const [[id = "", text = ""] = []] = kept;
    kept.set(id, text.replace("{", `{"__proto__":{"polluted":1},"cookie":{"__proto__":{"polluted":1}},`));
    const { result } = await browser.visit((session) => {
      session["n"] = 2;
      return [Object.keys({ ...session }), JSON.stringify(session).includes("polluted")];
    });
    expect(result[0]).toEqual(["n"]);
    expect((await browser.visit((session) => session["n"])).result).toBe(2);
  });
});

describe("what a program configures", () => {
  it("with a key __proto__ is refused, or has no effect", () => {
    const evil = (text: string) => JSON.parse(text) as never;
    expect(() => createSessions(evil(`{"secretKey":"${secretKey}","__proto__":{"secretKey":"x"}}`))).toThrow(
      "__proto__",
    );
    expect(() => make({ schema: evil('{"__proto__":{}}') })).toThrow(TypeError);
    expect(() => make({ encryption: evil('{"__proto__":{"keys":["x"]}}') })).toThrow("encryption.keys");
    expect(() => make({ csrf: evil('{"__proto__":{"allowSameSite":true}}') })).toThrow("csrf.__proto__");
    expect(() => make({ sessionObject: "__proto__" })).toThrow("sessionObject");
    for (const word of NAMES) {
      expect(() => make({ sameSite: word as never })).toThrow("sameSite");
      expect(() => make({ priority: word as never })).toThrow("priority");
      expect(() => make({ logLevel: word as never })).toThrow("logLevel");
    }
  });

  it("and a schema that answers such an object writes nothing", async () => {
    const schema = {
      "~standard": { version: 1, vendor: "test", validate: () => ({ value: JSON.parse(hostile) as unknown }) },
    };
    const browser = new Browser(make({ schema: { form: schema as never } }));
    await expect(browser.visit((session) => session.set("form", {}))).rejects.toThrow("__proto__");
    expect((await browser.visit((session) => session.get("form"))).result).toBeUndefined();
  });
});

describe("what a request brings", () => {
  it.each(["__proto__", "constructor", "toString"])("as a cookie named %s is one like any other", async (name) => {
    const ours = new Browser(make());
    await ours.visit((session) => void (session["n"] = 1));
    const noise = new Browser(make(), `${name}=${ours.cookie?.slice(4)}; ${name}=[object Object]`);
    expect((await noise.visit((session) => session.info.cause)).result).toBe("none");
    const named = new Browser(make({ sessionCookie: name }));
    await named.visit((session) => void (session["n"] = 1));
    expect((await named.visit((session) => session["n"])).result).toBe(1);
  });

  it("as a token's content is data of the one who asked for it", () => {
    const tokens = new TimedSignatureSerializer(secretKey);
    const { data } = tokens.decode(tokens.encode(JSON.parse(hostile)));
    expect(Object.keys(data as object)).toEqual(["__proto__", "constructor"]);
    expect((data as { polluted?: unknown }).polluted).toBeUndefined();
  });
});

it.each([
  ["MemoryStore", () => new MemoryStore()],
  ["SqliteStore", () => new SqliteStore(":memory:")],
])("users, metadata and handles of such names are everybody's own in %s", (_name, open) => expectOwnUsers(open()));
