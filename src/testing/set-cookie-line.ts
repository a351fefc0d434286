/**
 * A `Set-Cookie` line, read more strictly than any browser does: whatever a browser would ignore, bend or cut is refused
 * here with its reason. RFC 6265bis, 4.1 (what servers may send) and 5.6 (what clients keep).
 */

/** A line that a browser takes exactly as it stands. */
export interface SetCookieLine {
  readonly name: string;
  readonly value: string;
  readonly secure: boolean;
  readonly httpOnly: boolean;
  readonly partitioned: boolean;
  readonly sameSite: "strict" | "lax" | "none" | null;
  readonly path: string | null;
  readonly domain: string | null;
  /** In seconds; `null`: none given. */
  readonly maxAge: number | null;
  /** `null`: none given. */
  readonly expires: number | null;
}

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const COOKIE_OCTETS = /^[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]*$/;
const ATTRIBUTE_OCTETS = /^[\x20-\x3a\x3c-\x7e]*$/;
const IMF_FIXDATE = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/;

const MAX_NAME_AND_VALUE = 4096;
const MAX_ATTRIBUTE = 1024;

/** What each attribute's value must be; `null` where it has none. */
const ATTRIBUTES: ReadonlyMap<string, RegExp | null> = new Map([
  ["secure", null],
  ["httponly", null],
  ["partitioned", null],
  ["path", /^\//],
  ["domain", /^[a-z0-9.-]+$/i],
  ["samesite", /^(strict|lax|none)$/i],
  ["priority", /^(low|medium|high)$/i],
  ["max-age", /^(-?[1-9]\d*|0)$/],
  ["expires", IMF_FIXDATE],
]);

/** The line's parts, or why a browser would not take it as it stands. */
export function readSetCookie(line: string): SetCookieLine | string {
  const [pair = "", ...rest] = line.split(";");
  const equals = pair.indexOf("=");
  if (equals === -1) return "it has no =";
  const name = pair.slice(0, equals);
  const value = pair.slice(equals + 1);
  if (!TOKEN.test(name)) return "its name is no token";
  if (!COOKIE_OCTETS.test(value.replace(/^"(.*)"$/, "$1"))) return "its value has characters a cookie cannot have";
  if (name.length + value.length > MAX_NAME_AND_VALUE) return `name and value exceed ${MAX_NAME_AND_VALUE} octets`;
  const attributes = readAttributes(rest);
  if (typeof attributes === "string") return attributes;
  const text = (attribute: string): string | null => attributes.get(attribute) ?? null;
  const maxAge = text("max-age");
  const expires = text("expires");
  return {
    name,
    value,
    secure: attributes.has("secure"),
    httpOnly: attributes.has("httponly"),
    partitioned: attributes.has("partitioned"),
    sameSite: (text("samesite")?.toLowerCase() ?? null) as SetCookieLine["sameSite"],
    path: text("path"),
    domain: text("domain")?.toLowerCase() ?? null,
    maxAge: maxAge === null ? null : Number(maxAge),
    expires: expires === null ? null : Date.parse(expires),
  };
}

function readAttributes(parts: readonly string[]): Map<string, string> | string {
  const attributes = new Map<string, string>();
  for (const part of parts) {
    const [, name = "", value] = /^ ?([^=]*?)(?:=(.*))?$/s.exec(part) ?? [];
    const key = name.toLowerCase();
    const wanted = ATTRIBUTES.get(key);
    if (wanted === undefined) return `it has the unknown attribute ${JSON.stringify(name)}`;
    if (attributes.has(key)) return `it has ${name} twice`;
    if (wanted === null ? value !== undefined : value === undefined || !wanted.test(value)) {
      return `its ${name} is not as the standard writes it`;
    }
    if (!ATTRIBUTE_OCTETS.test(value ?? "")) return `its ${name} has characters an attribute cannot have`;
    if ((value ?? "").length > MAX_ATTRIBUTE) return `its ${name} exceeds ${MAX_ATTRIBUTE} octets`;
    attributes.set(key, value ?? "");
  }
  return attributes;
}
