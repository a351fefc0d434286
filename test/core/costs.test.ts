/**
 * What a request costs, counted: store calls, hashes, JSON encodes and decodes, promises, bytes. Noise cannot touch these;
 * microseconds are the benchmark's. A number that rises here is a decision, not an accident.
 */
import type * as crypto from "node:crypto";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { isPromise } from "../../src/core/awaitable.ts";
import { commitResponse, newSession } from "../../src/core/lifecycle.ts";
import { createHandle } from "../../src/core/session-handle.ts";
import type { SessionState } from "../../src/core/session-state.ts";
import { createSessions } from "../../src/create-sessions.ts";
import { MemoryStore } from "../../src/stores/memory.ts";
import { HostileStore } from "../../src/testing/hostile-store.ts";

const counts = vi.hoisted(() => ({ hashes: 0, random: 0, encodes: 0, decodes: 0 }));

/** The real module, with its calls counted: it has to be there before anything takes its functions. */
vi.mock("node:crypto", async (load) => {
  const real = await load<typeof crypto>();
  const counted =
    <A extends unknown[], R>(name: "hashes" | "random", call: (...given: A) => R) =>
    (...given: A): R => {
      counts[name] += 1;
      return call(...given);
    };
  return {
    ...real,
    // Missing on some runtimes, where each MAC is one createHmac.
    ...(real.hash !== undefined && { hash: counted("hashes", real.hash as (...given: unknown[]) => unknown) }),
    createHmac: counted("hashes", real.createHmac as (...given: unknown[]) => unknown),
    createHash: counted("hashes", real.createHash as (...given: unknown[]) => unknown),
    randomFillSync: counted("random", real.randomFillSync as (...given: unknown[]) => unknown),
  };
});

const CART = Array.from({ length: 3 }, (_, index) => ({ sku: `SKU-1000${index}`, quantity: index, price: 999 }));

function scene(local: boolean) {
  const store = new HostileStore(new MemoryStore(), { local });
  const sessions = createSessions({ secretKey: "a secret of more than thirty-two bytes", store });
  const { cookie } = sessions.http;
  const stateOf = (header: string | undefined): SessionState =>
    newSession(sessions.config, { present: (now) => cookie.read(header, now), touched: () => undefined });
  /** A request; answers whether anything was a promise, and the cookie's line. */
  const request = async (header: string | undefined, handle: (session: Record<string, unknown>) => void) => {
    const state = stateOf(header);
    const ready = state.config.store.capabilities.local ? undefined : state.prepare();
    if (isPromise(ready)) await ready;
    handle(createHandle(state));
    const done = commitResponse(state);
    if (isPromise(done)) await done;
    const line = state.cookie === "send" ? cookie.line(state.id as string, state.createdAt, null, true) : undefined;
    return { waited: isPromise(ready) || isPromise(done), line };
  };
  return { store, sessions, request, stateOf };
}

type Handler = (session: Record<string, unknown>) => void;
const untouched: Handler = () => undefined;
const reads: Handler = (session) => void session["locale"];
const writes: Handler = (session) => void (session["counter"] = (session["counter"] as number) + 1);
const creates: Handler = (session) =>
  void Object.assign(session, { userId: "user_0123456789", counter: 1, locale: "en-GB", cart: CART });

beforeEach(() => {
  const { stringify, parse } = JSON;
  vi.spyOn(JSON, "stringify").mockImplementation(((...given: Parameters<typeof stringify>) => {
    counts.encodes += 1;
    return stringify(...given);
  }) as typeof stringify);
  vi.spyOn(JSON, "parse").mockImplementation((...given) => {
    counts.decodes += 1;
    return parse(...given) as unknown;
  });
  return () => vi.restoreAllMocks();
});

/** One-shot hashing takes two for a MAC; where there is none, it is one `createHmac`. */
const MAC = "hash" in (await import("node:crypto")) ? 2 : 1;

describe.each([
  ["a local store", true],
  ["a store that answers by promises", false],
])("on %s", (_, local) => {
  it.each<
    [string, "new" | "returning", Handler, { calls: string[]; hashes: number; encodes: number; decodes: number }]
  >([
    ["a: a new visitor, untouched", "new", untouched, { calls: [], hashes: 0, encodes: 0, decodes: 0 }],
    [
      "b: a returning visitor, untouched",
      "returning",
      untouched,
      { calls: local ? [] : ["load"], hashes: 0, encodes: 0, decodes: 0 },
    ],
    [
      "c: a returning visitor, one field read",
      "returning",
      reads,
      { calls: ["load"], hashes: 0, encodes: 0, decodes: 1 },
    ],
    [
      "d: a returning visitor, one field read and written",
      "returning",
      writes,
      { calls: ["load", "commit"], hashes: 0, encodes: 1, decodes: 1 },
    ],
    // Four fields; the cookie's MAC. The list of three is looked at when it is assigned, encoded when it is saved.
    [
      "e: a new visitor, four fields written",
      "new",
      creates,
      { calls: ["create"], hashes: MAC, encodes: 4, decodes: 0 },
    ],
  ])("%s", async (__, visitor, handle, expected) => {
    const { store, request } = scene(local);
    const cookie = (await request(undefined, creates)).line?.split(";", 1)[0];
    // A second request: the first with a cookie pays for its MAC once.
    await request(cookie, reads);
    store.takeCalls();
    Object.assign(counts, { hashes: 0, random: 0, encodes: 0, decodes: 0 });
    const { waited } = await request(visitor === "new" ? undefined : cookie, handle);
    const { hashes, encodes, decodes } = counts;
    expect({ calls: store.takeCalls(), hashes, encodes, decodes }).toEqual(expected);
    expect(waited).toBe(!local && expected.calls.length > 0);
  });

  it("one field of a large session: nothing of the rest is decoded or encoded", async () => {
    const { request } = scene(local);
    const filled = await request(undefined, (session) => {
      creates(session);
      session["large"] = Array.from({ length: 10_000 }, (__, index) => `a text of some length, number ${index}`);
    });
    const cookie = filled.line?.split(";", 1)[0];
    await request(cookie, reads);
    Object.assign(counts, { encodes: 0, decodes: 0 });
    await request(cookie, writes);
    expect([counts.encodes, counts.decodes]).toEqual([1, 1]);
  });
});

it("a cookie that was seen is verified by no MAC again, a forged one by one each time", async () => {
  const { request } = scene(true);
  const cookie = (await request(undefined, creates)).line?.split(";", 1)[0] as string;
  const forged = `${cookie.slice(0, -2)}${cookie.at(-2) === "A" ? "B" : "A"}${cookie.at(-1)}`;
  const hashesOf = async (header: string): Promise<number> => {
    counts.hashes = 0;
    await request(header, reads);
    return counts.hashes;
  };
  expect(await hashesOf(cookie)).toBe(MAC);
  expect(await hashesOf(cookie)).toBe(0);
  expect(await hashesOf(forged)).toBe(MAC);
  expect(await hashesOf(forged)).toBe(MAC);
});

it("the system's generator is asked once for a hundred new sessions", async () => {
  const { request } = scene(true);
  counts.random = 0;
  for (let visitor = 0; visitor < 100; visitor++) await request(undefined, creates);
  expect(counts.random).toBeLessThanOrEqual(2);
});

it("an untouched request leaves next to nothing for the garbage collector", () => {
  const { stateOf } = scene(true);
  const run = (): void => {
    void createHandle(stateOf("sid=x"));
    void commitResponse(stateOf("sid=x"));
  };
  for (let warm = 0; warm < 20_000; warm++) run();
  const measured = Array.from({ length: 20 }, () => {
    const before = process.memoryUsage().heapUsed;
    for (let turn = 0; turn < 500; turn++) run();
    return (process.memoryUsage().heapUsed - before) / 1000;
  }).filter((bytes) => bytes > 0);
  // Two states, two carriers and a handle, of which a compiler may spare some.
  expect(Math.min(...measured)).toBeLessThan(1500);
});
