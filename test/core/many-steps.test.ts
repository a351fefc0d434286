/** Operations by the thousand on one field in one request: what each costs does not grow with what is there. */
import { describe, expect, it } from "vitest";
import type { Codec } from "../../src/core/codec.ts";
import { jsonCodec } from "../../src/core/json-codec.ts";
import type { DefaultData, Session } from "../../src/core/session-types.ts";
import { createSessions, type SessionOptions, type Sessions } from "../../src/create-sessions.ts";
import { MemoryStore } from "../../src/stores/memory.ts";
import { HostileStore } from "../../src/testing/hostile-store.ts";
import { Browser } from "../support/browser.ts";

type Act = (session: Session<DefaultData>, n: number) => unknown;

const MANY = 16_000;

/** Counts the characters that become text, and the items that are looked at. */
function counting(): { codec: Codec; work: { characters: number; items: number } } {
  const work = { characters: 0, items: 0 };
  const look = (value: unknown): void => void (work.items += Array.isArray(value) ? value.length : 1);
  const codec: Codec = {
    encode(value, field) {
      look(value);
      const text = jsonCodec.encode(value, field);
      work.characters += text.length;
      return text;
    },
    decode: (text) => jsonCodec.decode(text),
    check(value, field) {
      look(value);
      jsonCodec.check(value, field);
    },
  };
  return { codec, work };
}

function start(options: Partial<SessionOptions> = {}): { sessions: Sessions; browser: Browser } {
  const secretKey = "a secret of more than thirty-two bytes";
  const store = new HostileStore(new MemoryStore(), { local: false });
  const sessions = createSessions({ secretKey, store, logLevel: "silent", ...options });
  return { sessions, browser: new Browser(sessions) };
}

async function repeat(browser: Browser, act: Act, times = MANY): Promise<void> {
  await browser.visit((session) => {
    for (let n = 0; n < times; n += 1) act(session, n);
  });
}

const list = async (browser: Browser): Promise<unknown> => (await browser.visit((session) => session["list"])).result;
const numbers = (count: number): number[] => Array.from({ length: count }, (_, n) => n);

const acts: readonly (readonly [string, Act])[] = [
  ["append", (session, n) => session.append("list", n)],
  ["append, after an assignment", (session, n) => (n === 0 ? (session["list"] = [0]) : session.append("list", n))],
  ["update in place", (session, n) => session.update("list", (all: number[] = []) => (all.push(n), all))],
  [
    "append and update by turns",
    (session, n) =>
      n % 2 === 0 ? session.append("list", n) : session.update("list", (all: number[]) => (all.push(n), all)),
  ],
];

describe.for(acts)("16,000 operations of a request: %s", ([, act]) => {
  it("look at a value of 90,000 characters some ten times in all", async () => {
    const { codec, work } = counting();
    const { browser } = start({ codec });
    await repeat(browser, act);
    expect(work.characters).toBeLessThan(1_500_000);
    expect(work.items).toBeLessThan(500_000);
    expect(await list(browser)).toEqual(numbers(MANY));
  });

  it("lose nothing of what another request adds meanwhile", async () => {
    const { sessions, browser } = start();
    await browser.visit((session) => void (session["list"] = [-1]));
    const late = await browser.start();
    for (let n = 1; n <= MANY; n += 1) act(late.session, n);
    await new Browser(sessions, browser.cookie).visit((session) => session.append("list", -2));
    await late.end();
    const found = (await list(browser)) as number[];
    expect(found.slice(0, 3)).toEqual([-1, -2, 1]);
    expect(found).toHaveLength(MANY + 2);
  });
});

it("16,000 increments count beside another request's", async () => {
  const { sessions, browser } = start();
  await browser.visit((session) => void (session["n"] = 0));
  const late = await browser.start();
  for (let n = 0; n < MANY; n += 1) late.session.increment("n");
  await new Browser(sessions, browser.cookie).visit((session) => session.increment("n"));
  await late.end();
  expect((await browser.visit((session) => session["n"])).result).toBe(MANY + 1);
});

describe("after thousands of operations on a list", () => {
  async function busy(): Promise<{ browser: Browser; other: Browser; late: Awaited<ReturnType<Browser["start"]>> }> {
    const { sessions, browser } = start();
    await browser.visit((session) => void (session["list"] = []));
    const late = await browser.start();
    for (let n = 0; n < MANY; n += 1) late.session.append("list", n);
    return { browser, other: new Browser(sessions, browser.cookie), late };
  }

  it("a change in place is saved", async () => {
    const { browser, late } = await busy();
    (late.session["list"] as number[])[0] = 100;
    late.session.append("list", -1);
    (late.session["list"] as number[]).push(-2);
    await late.end();
    expect(await list(browser)).toEqual([100, ...numbers(MANY).slice(1), -1, -2]);
  });

  it("a change in place that another request overtakes is refused, and that one's value stays", async () => {
    for (const change of [(all: number[]) => void (all[0] = 100), (all: number[]) => void all.push(-1)]) {
      const { browser, other, late } = await busy();
      change(late.session["list"] as number[]);
      late.session.append("list", -2);
      await other.visit((session) => session.append("list", -3));
      await expect(late.end()).rejects.toMatchObject({ code: "ERR_SESSION_CONFLICT" });
      expect(await list(browser)).toEqual([-3]);
    }
  });

  it("a value that cannot be stored is refused where it is added, by its place", async () => {
    const { browser, late } = await busy();
    const add = (): unknown => late.session.append("list", 1, { at: new Date() });
    expect(add).toThrow(expect.objectContaining({ code: "ERR_SESSION_VALUE", path: `list[${MANY + 1}].at` }));
    await late.end();
    expect(await list(browser)).toEqual(numbers(MANY));
  });

  it("a value that cannot be stored is refused at the save at last", async () => {
    const { browser, late } = await busy();
    late.session.update("list", (all: unknown[]) => [...all, new Date()]);
    await expect(late.end()).rejects.toMatchObject({ code: "ERR_SESSION_VALUE", path: `list[${MANY}]` });
    expect(await list(browser)).toEqual([]);
  });

  it("a list that was read stays as it was", async () => {
    const { late } = await busy();
    const before = late.session["list"] as number[];
    late.session.append("list", -1);
    expect(before).toHaveLength(MANY);
    expect(late.session["list"]).toHaveLength(MANY + 1);
  });

  it("an assignment, a deletion and a step that throws do what they always do", async () => {
    const { browser, late } = await busy();
    const no = (): never => {
      throw new Error("no");
    };
    expect(() => late.session.update("list", no)).toThrow("no");
    expect(() => late.session.increment("list")).toThrow("number");
    expect(late.session["list"]).toHaveLength(MANY);
    late.session["list"] = ["new"];
    late.session.append("list", 1);
    expect(late.session["list"]).toEqual(["new", 1]);
    delete late.session["list"];
    late.session.append("list", 2);
    await late.end();
    expect(await list(browser)).toEqual([2]);
  });

  it("a save in between lets changes in place be told apart again", async () => {
    const { browser, other, late } = await busy();
    await late.session.saveSession();
    (late.session["list"] as number[]).length = 1;
    late.session.append("list", 1);
    await other.visit((session) => session.append("list", -3));
    await late.end();
    expect(await list(browser)).toEqual([0, 1]);
  });
});

describe("with a schema, an item that it refuses", () => {
  const even = {
    "~standard": {
      version: 1,
      vendor: "test",
      validate: (value: unknown) =>
        (value as number[]).every((item) => item % 2 === 0) ? { value } : { issues: [{ message: "" }] },
    },
  } as const;

  it.for([10, MANY])("is never saved after %i operations", async (times) => {
    const { browser } = start({ schema: { list: even } });
    await browser.visit((session) => session.append("list", 0));
    const asked = repeat(browser, (session, n) => session.append("list", n < times - 1 ? n * 2 : 1), times);
    await expect(asked).rejects.toMatchObject({ code: "ERR_SESSION_INVALID", path: "list" });
    expect(await list(browser)).toEqual([0]);
  });
});
