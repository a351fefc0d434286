import { createHmac } from "node:crypto";
import { createRequire, syncBuiltinESMExports } from "node:module";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type * as OurCrypto from "../../src/core/crypto.ts";
import { createMac, equalInConstantTime, hmac, sha256 } from "../../src/core/crypto.ts";

const property = { seed: 4231, numRuns: 500 };

/** RFC 4231, section 4: key and data in hex, HMAC-SHA-256 in hex (case 5 is truncated there). */
const RFC_4231 = [
  {
    name: "case 1",
    key: "0b".repeat(20),
    data: "4869205468657265",
    mac: "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
  },
  {
    name: "case 2, a short key",
    key: "4a656665",
    data: "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
    mac: "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
  },
  {
    name: "case 3, 50 bytes of data",
    key: "aa".repeat(20),
    data: "dd".repeat(50),
    mac: "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe",
  },
  {
    name: "case 4, a key of 25 bytes",
    key: "0102030405060708090a0b0c0d0e0f10111213141516171819",
    data: "cd".repeat(50),
    mac: "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b",
  },
  {
    name: "case 5, truncated",
    key: "0c".repeat(20),
    data: "546573742057697468205472756e636174696f6e",
    mac: "a3b6167473100ee06e0c796c2955552b",
  },
  {
    name: "case 6, a key longer than a block",
    key: "aa".repeat(131),
    data: "54657374205573696e67204c6172676572205468616e20426c6f636b2d53697a65204b6579202d2048617368204b6579204669727374",
    mac: "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
  },
  {
    name: "case 7, key and data longer than a block",
    key: "aa".repeat(131),
    data: "5468697320697320612074657374207573696e672061206c6172676572207468616e20626c6f636b2d73697a65206b657920616e642061206c6172676572207468616e20626c6f636b2d73697a6520646174612e20546865206b6579206e6565647320746f20626520686173686564206265666f7265206265696e6720757365642062792074686520484d414320616c676f726974686d2e",
    mac: "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
  },
];

const isAscii = (hex: string): boolean => Buffer.from(hex, "hex").every((byte) => byte < 0x80);

describe("hmac", () => {
  it.each(RFC_4231)("gives the result of RFC 4231, $name", ({ key, data, mac }) => {
    const result = hmac("sha256", Buffer.from(key, "hex"), Buffer.from(data, "hex"));
    expect(result.toString("hex").slice(0, mac.length)).toBe(mac);
  });
});

describe("createMac", () => {
  const inText = RFC_4231.filter(({ key, data }) => key.length <= 128 && isAscii(key) && isAscii(data));

  it.each(inText)("gives the result of RFC 4231, $name", ({ key, data, mac }) => {
    const result = createMac(Buffer.from(key, "hex").toString("latin1"))(Buffer.from(data, "hex").toString("latin1"));
    expect(Buffer.from(result, "base64url").toString("hex").slice(0, mac.length)).toBe(mac);
  });

  it("agrees with createHmac for every ASCII key up to a block and every text", () => {
    const key = fc.string({ unit: "binary-ascii", maxLength: 64 });
    const message = fc.oneof(fc.string({ unit: "binary", maxLength: 300 }), fc.string({ unit: "grapheme-ascii" }));
    fc.assert(
      fc.property(key, message, (key, message) => {
        expect(createMac(key)(message)).toBe(createHmac("sha256", key).update(message).digest("base64url"));
      }),
      property,
    );
  });

  it("keeps keys apart when they are used in turn", () => {
    const macs = ["a", "b"].map(createMac);
    const first = macs.map((mac) => mac("message"));
    expect(macs.map((mac) => mac("message"))).toEqual(first);
    expect(new Set(first).size).toBe(2);
  });
});

describe("on a runtime without one-shot hashing", () => {
  it("ids and cookies are the same", async () => {
    const builtin = createRequire(import.meta.url)("node:crypto") as { hash?: unknown };
    const { hash } = builtin;
    const again = "../../src/core/crypto.ts?without-one-shot-hashing";
    let streaming: typeof OurCrypto;
    try {
      builtin.hash = undefined;
      syncBuiltinESMExports();
      streaming = (await import(/* @vite-ignore */ again)) as typeof OurCrypto;
    } finally {
      builtin.hash = hash;
      syncBuiltinESMExports();
    }
    expect(streaming.sha256).not.toBe(sha256);
    expect(streaming.sha256("é")).toBe(sha256("é"));
    expect(streaming.createMac("key")("message")).toBe(createMac("key")("message"));
  });
});

describe("equalInConstantTime", () => {
  it("says what === says, for ASCII texts of any length", () => {
    // Lengths around 43 take the way with kept buffers, which must remember nothing of the text before.
    const text = fc.oneof(
      fc.string({ unit: fc.constantFrom("a", "b"), maxLength: 3 }),
      fc.string({ unit: fc.constantFrom("a", "b"), minLength: 42, maxLength: 44 }),
      fc.string({ unit: "binary-ascii", maxLength: 200 }),
    );
    fc.assert(
      fc.property(text, text, (a, b) => {
        expect(equalInConstantTime(a, b)).toBe(a === b);
        expect(equalInConstantTime(a, a)).toBe(true);
      }),
      property,
    );
  });

  it("sees a difference in every place", () => {
    const text = "a".repeat(43);
    for (let place = 0; place < text.length; place++) {
      expect(equalInConstantTime(text, `${text.slice(0, place)}b${text.slice(place + 1)}`)).toBe(false);
    }
  });
});
