import { describe, expect, it } from "vitest";
import type * as Ids from "../../src/core/session-id.ts";
import {
  createIdSource,
  hashedKey,
  ID_LENGTH,
  isId,
  newHandle,
  newId,
  newOperation,
  shortHash,
  tagOf,
  userTag,
} from "../../src/core/session-id.ts";

describe("a new id", () => {
  it("names its format, has a random tag and 192 random bits, and never comes twice", () => {
    const ids = Array.from({ length: 100_000 }, () => newId());
    expect(new Set(ids).size).toBe(ids.length);
    for (const id of ids.slice(0, 1000)) expect(id).toMatch(/^1[\w-]{35}$/);
    expect(ID_LENGTH).toBe(36);
  });

  it("has every bit set half of the time, tag and randomness alike", () => {
    const count = 20_000;
    const ones = Array.from({ length: 27 * 8 }, () => 0);
    for (let n = 0; n < count; n++) {
      const bytes = Buffer.from(newId(), "base64url");
      for (let bit = 0; bit < ones.length; bit++) {
        if ((bytes[bit >> 3] as number) & (128 >> (bit & 7))) ones[bit] = (ones[bit] as number) + 1;
      }
    }
    // The first six bits are the format's character; six standard deviations for the others.
    for (const set of ones.slice(6)) expect(Math.abs(set - count / 2)).toBeLessThan(6 * Math.sqrt(count / 4));
  });

  it("has a handle of which the first character is random, too", () => {
    expect(new Set(Array.from({ length: 2000 }, () => newHandle()[0])).size).toBeGreaterThan(60);
  });

  it("carries the tag it is asked for", () => {
    const tag = userTag("ann");
    const ids = Array.from({ length: 1000 }, () => newId(tag));
    expect(new Set(ids).size).toBe(1000);
    for (const id of ids) expect([id.slice(0, 4), tagOf(id), id.length]).toEqual([`1${tag}`, tag, ID_LENGTH]);
  });

  it("is drawn across the edge of the pool without a gap or a repetition", () => {
    const seen = new Set<string>();
    for (let n = 0; n < 5000; n++) {
      seen.add(newId());
      seen.add(newHandle());
    }
    expect(seen.size).toBe(10_000);
    for (const text of seen) expect(text).not.toMatch(/A{9}/);
  });
});

describe("tags", () => {
  it("are the same for a user everywhere, and spread", () => {
    expect(userTag("ann")).toBe(userTag("ann"));
    expect(new Set(Array.from({ length: 1000 }, (_, n) => userTag(String(n)))).size).toBeGreaterThan(950);
  });

  it("are derived for ids of another generator", () => {
    const uuid = "257b30f6-19be-4fb3-a5fe-aa80c5406ca2";
    expect(tagOf(uuid)).toMatch(/^[\w-]{3}$/);
    expect(tagOf(uuid)).toBe(tagOf(uuid));
  });

  it.each(["257b30f6-19be-4fb3-a5fe-aa80c5406ca2", "1-is-what-it-begins-with", "a-generator-of-mine"])(
    "show nothing of an id of another generator: %s",
    (id) => {
      expect(tagOf(id)).not.toBe(id.slice(1, 4));
    },
  );

  it("differ between two ids of another generator", () => {
    expect(tagOf("a-generator-of-mine-1")).not.toBe(tagOf("a-generator-of-mine-2"));
  });
});

describe("a hashed key", () => {
  it("shows the tag and nothing else of the id, and differs between namespaces", () => {
    const id = newId();
    const key = hashedKey("sid", id);
    expect(key).toMatch(/^v1\.[\w-]{3}\.[\w-]{43}$/);
    expect(key.slice(3, 6)).toBe(tagOf(id));
    expect(key).not.toContain(id.slice(4));
    expect(hashedKey("admin", id)).not.toBe(key);
    expect(hashedKey("si", `d${id}`)).not.toBe(key);
    expect(shortHash(id)).toMatch(/^[\w-]{8}$/);
  });
});

describe("ids of a generator of one's own", () => {
  it.each([
    ["", "too short"],
    ["a", "short"],
    [undefined, "none"],
    [7, "a number"],
    [12_345_678_901_234_567_000, "a number of many digits"],
    ["a b".repeat(9), "with spaces"],
    ["../".repeat(9), "a path"],
    ["x".repeat(129), "too long"],
  ] as [unknown, string][])("%j are refused: %s", (id) => {
    const ids = createIdSource(() => id as string);
    expect(() => ids.next()).toThrow(expect.objectContaining({ code: "ERR_SESSION_ID" }));
    expect(isId(id)).toBe(false);
  });

  it("are refused when they come twice in a row", () => {
    const ids = createIdSource(() => "always-the-same-id");
    ids.next();
    expect(() => ids.next()).toThrow(expect.objectContaining({ code: "ERR_SESSION_ID" }));
  });
});

describe("operations", () => {
  it("have names of their own, of 11 characters", () => {
    const names = Array.from({ length: 1000 }, () => newOperation());
    expect(new Set(names).size).toBe(1000);
    for (const name of names) expect(name).toMatch(/^[\w-]{5}[0-9a-z]{6}$/);
  });

  it("of two processes begin at random, each under a random name", async () => {
    const begin = async (process: number): Promise<string> => {
      const again = `../../src/core/session-id.ts?process=${process}`;
      const {
        ID_LENGTH: length,
        isId: isName,
        newId: name,
        newOperation: first,
      } = (await import(/* @vite-ignore */ again)) as typeof Ids;
      expect([length, isName(name()), isName("x".repeat(15)), isName(`${name()} `)]).toEqual([36, true, false, false]);
      expect([isName("x".repeat(128)), isName("x".repeat(129)), isName(` ${name()}`)]).toEqual([true, false, false]);
      const [one, two] = [first(), first()];
      // Counted within a process, which costs no random bytes.
      expect([two.slice(0, 5), Number.parseInt(two.slice(5), 36)]).toEqual([
        one.slice(0, 5),
        Number.parseInt(one.slice(5), 36) + 1,
      ]);
      expect(one).toMatch(/^[\w-]{5}[0-9a-z]{6}$/);
      return one;
    };
    const names = [];
    for (let process = 0; process < 20; process += 1) names.push(await begin(process));
    expect(new Set(names.map((name) => name.slice(0, 5))).size).toBe(20);
    expect(new Set(names.map((name) => name.slice(5))).size).toBe(20);
    // Spread over all numbers of six digits.
    expect(new Set(names.map((name) => name[5])).size).toBeGreaterThan(5);
  });
});
