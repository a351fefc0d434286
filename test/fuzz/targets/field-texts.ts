import { isDeepStrictEqual } from "node:util";
import type { Codec } from "../../../src/core/codec.ts";
import { Encryption } from "../../../src/core/encryption.ts";
import { FastSessionError } from "../../../src/core/errors.ts";
import { type FieldTexts, fieldTexts } from "../../../src/core/field-texts.ts";
import { jsonCodec } from "../../../src/core/json-codec.ts";
import { Log } from "../../../src/core/logger.ts";
import { openSuccessor, sealSuccessor } from "../../../src/core/sealed-id.ts";
import { structuredCodec } from "../../../src/core/structured-codec.ts";
import { bend, bendValue } from "../random.ts";
import type { Target } from "../target.ts";

interface Stored {
  /** Who reads the text: a codec, the encryption of a field, or the seal of an id that moved. */
  readonly by: "json" | "structured" | "encrypted" | "encrypted or plain" | "sealed id";
  readonly text: string;
}

const OLD_ID = "1AAAfuzzfuzzfuzzfuzzfuzzfuzzfuzzfuzz";
const record = { handle: "handle-of-fuzz", saved: true };
const keys = ["an encryption key of 32 bytes or more", "an older encryption key, also of 32 bytes"];
const boxes = [true, false].map((acceptPlaintext) =>
  fieldTexts(new Encryption({ keys, acceptPlaintext }, "sid", new Log(undefined, "silent")), record),
);
const [orPlain, encrypted] = boxes as [(typeof boxes)[0], (typeof boxes)[0]];
const other = fieldTexts(new Encryption({ keys }, "sid", new Log(undefined, "silent")), {
  ...record,
  handle: "another",
});

const structured: readonly unknown[] = [
  { cart: [{ id: 7, n: 2, price: 9.5 }], name: "\u65e5\u672c", none: null, yes: true, deep: [[[[{}]]]] },
  {
    at: new Date(0),
    map: new Map<unknown, unknown>([
      ["a", 1],
      [{ $date: 1 }, new Map()],
    ]),
    set: new Set([1, "1", null]),
  },
  [10n ** 40n, -1n, undefined, NaN, -Infinity, -0, new Uint8Array([1, 2, 255])],
  { $date: "not one" },
  { $$map: { $set: 1 } },
];
const json = structured.slice(0, 1).map((value) => jsonCodec.encode(value, "f"));
const tagged = structured.map((value) => structuredCodec.encode(value, "f"));
const sealed = tagged.map((text) => encrypted.seal("f", text));
const opened = new Map(sealed.map((text, index) => [text, tagged[index]]));
/** Of another field and of another record: well sealed, and not for here. */
const foreign = [encrypted.seal("g", "1"), other.seal("f", "1")];
const seal = sealSuccessor(OLD_ID, { id: OLD_ID.replace("AAA", "BBB"), until: 1_700_000_000_000 });
const all = [...json, ...tagged, ...sealed, ...foreign, seal];

/** Texts of a record, as a store may give them back. */
export const storedTexts: Target<Stored> = {
  name: "field-texts",
  seeds: [
    ...json.map((text) => ({ by: "json", text }) as const),
    ...tagged.map((text) => ({ by: "structured", text }) as const),
    ...[...sealed, ...foreign].map((text) => ({ by: "encrypted", text }) as const),
    ...sealed.slice(0, 1).map((text) => ({ by: "encrypted or plain", text }) as const),
    { by: "sealed id", text: seal },
  ],
  bend(random, { by, text }) {
    if ((by === "json" || by === "structured") && random.oneIn(2)) {
      const value = parsed(text);
      if (value !== undefined) {
        const bent = JSON.stringify(bendValue(random, value, tagged.map(parsed)));
        return { by, text: random.oneIn(20) ? `${"[".repeat(3000)}${bent}${"]".repeat(3000)}` : bent };
      }
    }
    return { by, text: bend(random, text, [text, random.pick(all)]) };
  },
  check({ by, text }) {
    switch (by) {
      case "json":
        return decoded(jsonCodec, text);
      case "structured":
        return decoded(structuredCodec, text);
      case "sealed id": {
        const successor = openSuccessor(OLD_ID, text);
        if ((successor !== null) !== (text === seal)) throw new Error("opens what was not sealed under this id");
        return successor === null ? "refused" : "opened";
      }
      default: {
        if (/^e(?!1\.)[1-9]\d*\./.test(text)) return opensAsNewer(by === "encrypted" ? encrypted : orPlain, text);
        const plain = (by === "encrypted" ? encrypted : orPlain).open("f", text);
        // What begins as a sealed text is never plain text.
        const wanted = opened.get(text) ?? (by === "encrypted or plain" && !/^e1\..{6}\./s.test(text) ? text : null);
        if (plain !== wanted) throw new Error("opens to something else than was sealed");
        return plain === null ? "refused" : plain === text ? "plain" : "opened";
      }
    }
  },
};

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isNewer(error: unknown): boolean {
  return error instanceof FastSessionError && error.code === "ERR_SESSION_UNAVAILABLE";
}

function opensAsNewer(box: FieldTexts, text: string): string {
  try {
    box.open("f", text);
  } catch (error) {
    if (isNewer(error)) return "newer";
    throw error;
  }
  throw new Error("opens what a newer version sealed");
}

/** What a codec says of corrupt texts: constants, in which nothing of the text is. */
const SAYS =
  /^a stored text (is not JSON|is nested too deep|has a number that is too large|has the key "__proto__"|has a tag that is not of this codec)$/;

function decoded(codec: Codec, text: string): string {
  let value: unknown;
  try {
    value = codec.decode(text);
  } catch (error) {
    if (error instanceof SyntaxError && SAYS.test(error.message)) return "corrupt";
    if (codec === structuredCodec && isNewer(error)) return "newer";
    throw error;
  }
  // Whoever reads it may change it in place: then it is written, and compared at the commit whether or not it was changed.
  if (!isDeepStrictEqual(codec.decode(codec.encode(value, "f")), value))
    throw new Error("what was read is written as something else");
  return "read";
}
