import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { pythonCookie } from "../../src/http/python-cookie.ts";
import { TimedSignatureSerializer } from "../../src/http/timed-signature-serializer.ts";
import type { TimedSignatureSerializerOptions } from "../../src/http/timed-signature-serializer.ts";

/** What README.md in this folder says about the file. Records come and go: nothing here knows one by its name. */
interface Golden {
  readonly vectors: readonly Vector[];
  readonly checks: readonly Check[];
}
type RecordedSecret = string | { readonly hex: string };
interface Signing {
  readonly id: string;
  readonly secret: RecordedSecret | readonly RecordedSecret[];
  readonly salt: string;
  readonly digest: NonNullable<TimedSignatureSerializerOptions["digest"]>;
  readonly key_derivation: NonNullable<TimedSignatureSerializerOptions["keyDerivation"]>;
  readonly token: string;
}
interface Vector extends Signing {
  readonly group: string;
  readonly timestamp: number;
  readonly payload_json: string;
  readonly js_encode_equal: boolean;
}
interface Check extends Signing {
  readonly name: string;
  readonly max_age: number | null;
  readonly now: number;
  readonly ok: boolean;
  readonly payload?: unknown;
  readonly error_is_a?: readonly string[];
  readonly noncanonical?: boolean;
  readonly recommend: "accept" | "reject" | "either";
}

const golden = JSON.parse(readFileSync(new URL("./itsdangerous-vectors.json", import.meta.url), "utf8")) as Golden;

function secretsOf({ secret }: Signing): (string | Uint8Array)[] {
  const list = Array.isArray(secret) ? (secret as readonly RecordedSecret[]) : [secret as RecordedSecret];
  return list.map((one) => (typeof one === "string" ? one : Buffer.from(one.hex, "hex")));
}

function serializerOf(record: Signing, options: TimedSignatureSerializerOptions): TimedSignatureSerializer {
  const { salt, digest, key_derivation: keyDerivation } = record;
  return new TimedSignatureSerializer(secretsOf(record), { salt, digest, keyDerivation, ...options });
}

it("the file holds vectors to read, vectors to write and checks of each kind", () => {
  expect(golden.vectors.length).toBeGreaterThan(0);
  expect(golden.vectors.some((vector) => vector.js_encode_equal)).toBe(true);
  expect(new Set(golden.checks.map((check) => check.recommend))).toEqual(new Set(["accept", "reject", "either"]));
});

const groups = new Set(golden.vectors.map((vector) => vector.group));

describe.each([...groups])("tokens of Python, group %s", (group) => {
  const vectors = golden.vectors.filter((vector) => vector.group === group);

  it.each(vectors)("$id is read", (vector) => {
    const { timestamp, payload_json, token } = vector;
    const at = (now: number) => serializerOf(vector, { expiredIn: 1, now: () => now }).decode(token);
    expect(at(timestamp)).toEqual({ data: JSON.parse(payload_json), error: null });
    expect(at(timestamp + 2).error).toBe("SignatureExpired");
  });

  const writable = vectors.filter((vector) => vector.js_encode_equal);
  it.runIf(writable.length > 0).each(writable)("$id is written, byte for byte", (vector) => {
    const { timestamp, payload_json, token } = vector;
    expect(serializerOf(vector, { now: () => timestamp }).encode(JSON.parse(payload_json))).toBe(token);
  });
});

describe("what itsdangerous made of a token", () => {
  it.each(golden.checks)("$id, $name: $recommend", (check) => {
    const { token, max_age, now } = check;
    const result = serializerOf(check, { expiredIn: max_age ?? 0, now: () => now }).decode(token);
    if (result.error !== null) expect(result.data).toBeNull();
    if (check.noncanonical === true) expect(result.error).toBe("InvalidSignature");
    else if (check.recommend === "accept") expect(result).toEqual({ data: check.payload, error: null });
    else if (check.recommend === "reject") expect(result.error).toBe(expectedError(check));
    else if (result.error === null) expect(result.data).toEqual(check.payload);
  });
});

/** In ours `expiredIn: 0` is no limit, as in the original middleware; in itsdangerous `max_age=0` is zero seconds. */
function expectedError({ token, max_age, error_is_a = [] }: Check): string | null {
  if (token === "") return "NoTokenSpecified";
  if (!error_is_a.includes("SignatureExpired")) return "InvalidSignature";
  return max_age === 0 ? null : "SignatureExpired";
}

describe("pythonCookie", () => {
  /** The only string in an object of one key is an id under the name of its cookie. */
  const cookies = golden.vectors.flatMap((vector) => {
    const payload: unknown = JSON.parse(vector.payload_json);
    const entries = typeof payload === "object" && payload !== null ? Object.entries(payload) : [];
    const [name, id] = entries[0] ?? [];
    const fits = !Array.isArray(payload) && entries.length === 1 && typeof id === "string" && id !== "";
    return fits ? [{ ...vector, name: name as string, sessionId: id }] : [];
  });

  it("has cookies to read", () => {
    expect(cookies.length).toBeGreaterThan(0);
  });

  it.each(cookies)("$id is read, and written as Python wrote it", (vector) => {
    const { salt, digest, key_derivation: keyDerivation, name, sessionId, timestamp, token } = vector;
    const context = { secrets: secretsOf(vector), sessionCookie: name, namespace: name, maxAge: 10 };
    const format = pythonCookie({ salt, digest, keyDerivation })(context);
    const startedAt = timestamp * 1000;
    expect(format.read(token, startedAt + 10_999)).toMatchObject({ ok: true, id: sessionId, startedAt });
    expect(format.read(token, startedAt + 11_000)).toEqual({ ok: false, reason: "expired-absolute" });
    if (vector.js_encode_equal) expect(format.write(sessionId, startedAt)).toBe(token);
  });

  it.each(golden.checks)("$id, $name: $recommend, and never a throw", (check) => {
    const { salt, digest, key_derivation: keyDerivation, token, max_age, now } = check;
    const context = { secrets: secretsOf(check), sessionCookie: "sid", namespace: "sid", maxAge: max_age ?? 0 };
    const reading = pythonCookie({ salt, digest, keyDerivation, leeway: 0 })(context).read(token, now * 1000);
    const refused = check.recommend === "reject" && (check.noncanonical === true || expectedError(check) !== null);
    const id: unknown = check.ok ? (check.payload as { sid?: unknown } | null)?.sid : undefined;
    if (refused) expect(reading.ok).toBe(false);
    else if (check.recommend === "accept") expect(reading.ok).toBe(typeof id === "string");
    if (reading.ok && check.ok) expect(reading.id).toBe(id);
  });
});
