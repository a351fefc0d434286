/** `maxFieldBytes`: what is over it by its strings alone is refused before any text is made of it. */
import { describe, expect, it } from "vitest";
import type { Codec } from "../../src/core/codec.ts";
import { createJsonCodec, jsonCodec } from "../../src/core/json-codec.ts";
import { structuredCodec } from "../../src/core/structured-codec.ts";
import { createSessions } from "../../src/create-sessions.ts";
import { Browser } from "../support/browser.ts";

const LIMIT = 1000;
const LONG = "x".repeat(LIMIT + 1);

function browserWith(codec: Codec): Browser {
  const secretKey = "a secret of more than thirty-two bytes";
  return new Browser(createSessions({ secretKey, codec, maxFieldBytes: LIMIT, logLevel: "silent" }));
}

/** Counts the texts over the limit that are made meanwhile. */
function whileCounting(act: () => Promise<unknown>): { done: Promise<unknown>; written: () => number } {
  const { stringify } = JSON;
  let count = 0;
  JSON.stringify = ((...given: [unknown]) => {
    const text = stringify(...given) as string | undefined;
    if (text !== undefined && text.length > LIMIT) count += 1;
    return text;
  }) as typeof stringify;
  const done = act().finally(() => (JSON.stringify = stringify));
  return { done, written: () => count };
}

const plain: readonly (readonly [string, unknown])[] = [
  ["a string", LONG],
  ["a string deep inside", { form: [{ text: LONG }] }],
  ["strings that are short each", Array.from({ length: 20 }, () => "x".repeat(100))],
  ["a long name", { [LONG]: 1 }],
  [
    "names that are short each",
    Object.fromEntries(Array.from({ length: 20 }, (_, n) => [`${n}`.padStart(100, "x"), 1])),
  ],
];
const structured: readonly (readonly [string, unknown])[] = [
  ["bytes", new Uint8Array(LIMIT + 1)],
  ["bytes deep inside", new Map([[1, [new Uint8Array(600), new Uint8Array(600)]]])],
  ["the items of a set", new Set(Array.from({ length: 20 }, (_, n) => `${n}`.padStart(100, "x")))],
];

describe.for<readonly [string, Codec, readonly (readonly [string, unknown])[]]>([
  ["jsonCodec", jsonCodec, plain],
  ["a codec of createJsonCodec", createJsonCodec({ maxDepth: 10 }), plain],
  ["structuredCodec", structuredCodec, [...plain, ...structured]],
])("a field over maxFieldBytes, with %s", ([, codec, values]) => {
  it.for(values)("is refused without being written: %s", async ([, value]) => {
    const browser = browserWith(codec);
    const refused = whileCounting(() => browser.visit((session) => session.set("form", value)));
    await expect(refused.done).rejects.toMatchObject({
      code: "ERR_SESSION_TOO_LARGE",
      path: "form",
      message: expect.stringContaining("maxFieldBytes (1000)"),
    });
    expect(refused.written()).toBe(0);
  });

  it("may have all of it", async () => {
    const browser = browserWith(codec);
    const most = "x".repeat(LIMIT - 2);
    await browser.visit((session) => session.set("form", most));
    expect((await browser.visit((session) => session.get("form"))).result).toBe(most);
    await expect(browser.visit((session) => session.set("form", `${most}x`))).rejects.toMatchObject({ path: "form" });
  });
});

it("of a codec that writes less than it is given, the text alone counts", async () => {
  const short: Codec = {
    encode: (value) => String((value as string).length),
    decode: (text) => "x".repeat(Number(text)),
    check: () => undefined,
  };
  const browser = browserWith(short);
  await browser.visit((session) => session.set("form", LONG));
  expect((await browser.visit((session) => session.get("form"))).result).toBe(LONG);
});
