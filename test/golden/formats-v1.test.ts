/**
 * What version 1 of each format looks like. Every later version has to read these: a changed format brings its own fixtures
 * beside them, and a way from the old to the new. They are never edited.
 */
import { describe, expect, test } from "vitest";
import { createSessions, type SessionOptions } from "../../src/create-sessions.ts";
import { verifyCsrf } from "../../src/core/csrf-token.ts";
import { hashedKey } from "../../src/core/session-id.ts";
import type { FastSession as Session } from "../../src/core/session-types.ts";
import { structuredCodec } from "../../src/core/structured-codec.ts";
import { MemoryStore } from "../../src/stores/memory.ts";
import { Browser } from "../support/browser.ts";

const secretKey = "a secret of the fixtures, which everybody can read";
const encryptionKey = "another secret of the fixtures, which everybody can read";
const START = 1_900_000_000_000;

const ID = "1aB3fixture_of_an_id_of_version_one-";
const COOKIE = `sid=${ID}.vf7lds.RxYPpYhR4Tu7h8L-7ElMVRUjJdbatbQELxbbU3sk8TMeF-c`;
const KEY = "v1.aB3.TTZj_zDMVXEyt4WHLhpfF142a0hqiGJMdIFJ5XaAtKM";

const JSON_TEXT = '{"list":[1,null,"é"],"o":{"a":true}}';
const STRUCTURED_TEXT =
  '{"at":{"$date":"1970-01-01T00:00:00.000Z"},"map":{"$map":[["a",{"$bigint":"1"}]]},"set":{"$set":[1]},"bytes":{"$bytes":"AQL/"},"none":{"$literal":"undefined"},"nan":{"$literal":"NaN"},"zero":-0}';
const SEALED_TEXT = "e1.robYTZ.vntw66A1QU1vLSZcImwSBBgKqtz8y1ig7a0e1HWt96x-NqysVAPNX36jWU8";

/** The session's id after a change in use, until a minute later sealed under the id before. */
const NEXT_ID = "1aB3another_id_of_version_one_______";
const NEXT_COOKIE = `sid=${NEXT_ID}.vf7lds.RxYP7pbvPuVDqaD1TdRnC2l9Z_6-Z9PqV4p_1KHJyBxjoCg`;
const NEXT_KEY = "v1.aB3.rmUvVhkfYnYUHFw6WwEdghl8-QCqZCXcpBidjT0Uhyo";
const SEALED_ID =
  "2EnYkmVLHA8fdj2xTZX1k9ErGdlWGZxum_Ncj5n-CoNzZIj8l4GD7xNX3amusY5LL1U8NPvu6KDsBJ3ZjpQ5An-B7ueC8_9GANAqtlAy";

const FLASH = "__flash__.notice";
const CSRF = "__csrf__";
const TOKEN = "AAECAwQFBgcICQoLDA0ODxARF-5nAlQG40BETPDTdJF4tGS032ZIFOa2fh5_TEQ8qFI";
const CSRF_SECRET = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYX";
const TOKEN_BY_SECRET = "AAECAwQFBgcICQoLDA0ODxARcImRHjVRKD349NAJo7CM7ex6ij5IZkfKD0t9NPSsOsE";

/** A memory store whose keys are hashes, as those of all others are. */
function hashing(): MemoryStore {
  const memory = new MemoryStore();
  return Object.assign(memory, { capabilities: { ...memory.capabilities, keys: "hash" } as const });
}

/** A session of version 1 under its key, as a store on a server has it. */
async function read(
  fields: Record<string, string>,
  options: Partial<SessionOptions> = {},
  look: (session: Session) => unknown = (session) => ({ ...session }),
) {
  const store = hashing();
  const times = { createdAt: START, lastUsedAt: START, expiresAt: START + 3_600_000 };
  const bind = { userId: "ann", metadata: { device: "a laptop" }, maxAge: null };
  void store.create({ key: KEY, fields, handle: "handle-of-v1", ...times }, { operation: "o", now: START, bind });
  const sessions = createSessions({ secretKey, store, now: () => START + 1000, sweepInterval: 0, ...options });
  const { result, lines } = await new Browser(sessions, COOKIE).visit((session) => [
    session.info.cause,
    session.info.userId,
    look(session),
  ]);
  expect(lines).toEqual([]);
  return result;
}

describe("a session that version 1 wrote is read:", () => {
  test("its cookie, its key and fields of jsonCodec", async () => {
    expect(hashedKey("sid", ID)).toBe(KEY);
    expect(await read({ n: "7", x: JSON_TEXT })).toEqual([
      "resumed",
      "ann",
      { n: 7, x: { list: [1, null, "é"], o: { a: true } } },
    ]);
  });

  test("fields of structuredCodec", async () => {
    const [cause, , data] = await read({ x: STRUCTURED_TEXT }, { codec: structuredCodec });
    expect(cause).toBe("resumed");
    expect(data).toEqual({
      x: {
        at: new Date(0),
        map: new Map([["a", 1n]]),
        set: new Set([1]),
        bytes: new Uint8Array([1, 2, 255]),
        none: undefined,
        nan: Number.NaN,
        zero: -0,
      },
    });
  });

  test("flash messages", async () => {
    const fields = { [FLASH]: '{"text":"saved"}', n: "7" };
    const look = (session: Session): unknown => [{ ...session }, session.flash("notice"), session.flash("notice")];
    expect(await read(fields, {}, look)).toEqual(["resumed", "ann", [{ n: 7 }, { text: "saved" }, undefined]]);
  });

  test.each([
    ["the id", {}, { [CSRF]: "true" }, TOKEN],
    ["a secret in the data", { rotateEvery: 900 }, { [CSRF]: `["${CSRF_SECRET}"]` }, TOKEN_BY_SECRET],
  ])("tokens of forms, under %s", async (_, options, fields, token) => {
    const look = (session: Session): unknown => [{ ...session }, verifyCsrf(session, token)];
    expect(await read(fields, options, look)).toEqual(["resumed", "ann", [{}, true]]);
  });

  test("the alias that an id left which changed in use", async () => {
    expect(hashedKey("sid", NEXT_ID)).toBe(NEXT_KEY);
    const store = hashing();
    const times = { createdAt: START, lastUsedAt: START, expiresAt: START + 3_600_000 };
    const at = { operation: "o", now: START };
    void store.create({ key: KEY, fields: { n: "7" }, handle: "handle-of-v1", ...times }, at);
    const leave = { kind: "alias", to: NEXT_KEY, sealedId: SEALED_ID, expiresAt: START + 960_000 } as const;
    void store.rotate(KEY, NEXT_KEY, { ...at, operation: "p" }, { leave });
    const sessions = createSessions({ secretKey, store, now: () => START + 1000, sweepInterval: 0, rotateEvery: 900 });
    const browser = new Browser(sessions, COOKIE);
    expect((await browser.visit((session) => session["n"])).result).toBe(7);
    expect(browser.cookie).toBe(NEXT_COOKIE);
  });

  test("encrypted fields", async () => {
    const encryption = { keys: [encryptionKey] };
    expect(await read({ x: SEALED_TEXT }, { encryption })).toEqual(["resumed", "ann", { x: "a sealed value" }]);
  });
});
