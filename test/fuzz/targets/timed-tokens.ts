import { createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import { inflateSync } from "node:zlib";
import { pythonCookie } from "../../../src/http/python-cookie.ts";
import { TimedSignatureSerializer } from "../../../src/http/timed-signature-serializer.ts";
import { bend, bendValue } from "../random.ts";
import type { Target } from "../target.ts";

interface Token {
  /** What it is tried as: a token, what stands before the signature of a well-signed one, or a value to be signed. */
  readonly as: "token" | "message" | "value";
  readonly text: string;
}

const key = "a signing key, used as it stands";
const options = { keyDerivation: "none", digest: "sha256", now: () => 1_700_000_000 } as const;
const serializer = new TimedSignatureSerializer(key, options);
const cookie = pythonCookie({ secretKey: key, keyDerivation: "none", digest: "sha256" })({
  secrets: [key],
  sessionCookie: "sid",
  namespace: "sid",
  maxAge: 0,
});
const sign = (message: string): string => `${message}.${createHmac("sha256", key).update(message).digest("base64url")}`;

const golden = JSON.parse(readFileSync(new URL("../../golden/itsdangerous-vectors.json", import.meta.url), "utf8")) as {
  vectors: { token: string }[];
};
/** Payloads of Python, plain and packed, under our key. */
const messages = golden.vectors
  .map(({ token }) => token.slice(0, token.lastIndexOf(".")))
  .filter((text) => text.length < 2000);
const valuesToSign = [
  '{"sid":"1AAAfuzzfuzzfuzzfuzzfuzzfuzzfuzzfuzz"}',
  '[null,true,-1.5e-7,"\\ud83c\\udf6a",{"a":{"b":[]}}]',
  '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}',
];
const tokens = [...messages.slice(0, 40).map(sign), ...valuesToSign.map((text) => serializer.encode(JSON.parse(text)))];
const known = new Set(tokens);
const texts = [...tokens, ...messages, ...golden.vectors.slice(0, 40).map(({ token }) => token)];

/** Tokens of itsdangerous: as they come, and with hostile content under a good signature. */
export const timedTokens: Target<Token> = {
  name: "timed-tokens",
  seeds: [
    ...tokens.map((text) => ({ as: "token", text }) as const),
    ...messages.map((text) => ({ as: "message", text }) as const),
    ...valuesToSign.map((text) => ({ as: "value", text }) as const),
  ],
  bend(random, { as, text }, seeds) {
    if (as !== "value") return { as, text: bend(random, text, [text, random.pick(texts)]) };
    const others = seeds.filter((one) => one.as === "value").map((one) => JSON.parse(one.text) as unknown);
    return { as, text: JSON.stringify(bendValue(random, JSON.parse(text), others)) };
  },
  check({ as, text }) {
    if (as === "value") return roundTrip(JSON.parse(text));
    const token = as === "token" ? text : sign(text);
    const { data, error } = serializer.decode(token);
    const reading = cookie.read(token, 0);
    if (error !== null) {
      if (data !== null) throw new Error("an error with data");
      if (reading.ok) throw new Error("the cookie takes what the serializer refuses");
      return error;
    }
    if (as === "token" ? !known.has(token) : !isCanonical(text, data))
      throw new Error("takes a token that nobody made");
    if (reading.ok && (data as { sid?: unknown }).sid !== reading.id) throw new Error("the cookie reads another id");
    return reading.ok ? "an id" : "data";
  },
};

function roundTrip(value: unknown): string {
  const token = serializer.encode(value);
  const { data, error } = serializer.decode(token);
  // JSON writes -0 as 0, and Python reads it so.
  if (error !== null || !isDeepStrictEqual(data, JSON.parse(JSON.stringify(value))))
    throw new Error("reads another value than was written");
  return "the value again";
}

/** Whether a message under a good signature may be taken for this value: one spelling of each part, as Python writes them. */
function isCanonical(message: string, data: unknown): boolean {
  const dot = message.lastIndexOf(".");
  const packed = message.startsWith(".");
  const payload = message.slice(packed ? 1 : 0, dot);
  const time = message.slice(dot + 1);
  for (const part of [payload, time]) if (Buffer.from(part, "base64url").toString("base64url") !== part) return false;
  if (Buffer.from(time, "base64url")[0] === 0) return false;
  const bytes = Buffer.from(payload, "base64url");
  const json = packed ? inflateSync(bytes) : bytes;
  if (json.length > 65_536 && packed) return false;
  return (
    Buffer.compare(Buffer.from(json.toString()), json) === 0 && isDeepStrictEqual(data, JSON.parse(json.toString()))
  );
}
