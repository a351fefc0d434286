import fc from "fast-check";

/** A grammar of what attackers and broken clients send: real cookies bent, cut, doubled and dressed up. */
export function cookieHeaders(good: string): fc.Arbitrary<string> {
  const name = good.slice(0, good.indexOf("="));
  const value = good.slice(good.indexOf("=") + 1);
  const [id = "", start = "", signature = ""] = value.split(".");
  const byte = fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code));
  const noise = fc.array(byte, { maxLength: 40 }).map((bytes) => bytes.join(""));
  const bent = fc
    .tuple(fc.nat(value.length - 1), byte)
    .map(([at, char]) => value.slice(0, at) + char + value.slice(at + 1));
  const part = fc.constantFrom(id, start, signature, "", ".", "..", "0", "-1", "zzzzzzzz", "__proto__", "%2E", '"');
  const assembled = fc.array(part, { maxLength: 5 }).map((parts) => parts.join("."));
  const cut = fc.nat(value.length - 1).map((length) => value.slice(0, length));
  const grown = noise.map((tail) => value + tail);
  const wrong = fc
    .oneof(noise, bent, assembled, cut, grown)
    .filter((text) => !text.split(";").some((one) => strip(one) === value));
  const pair = fc
    .tuple(
      fc.constantFrom(name, ` ${name}`, `\u00a0${name}`, name.toUpperCase(), "", `=${name}`, `$${name}`, "__proto__"),
      wrong,
    )
    .map(([key, text]) => `${key}=${text}`);
  return fc.array(pair, { minLength: 1, maxLength: 6 }).map((pairs) => pairs.join("; "));
}

const strip = (text: string): string => text.replace(/^[^=]*=/, "").replace(/^[ \t"]+|[ \t"]+$/g, "");
