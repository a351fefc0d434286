/**
 * One connection that many requests share, cut in the middle of what is under way: nobody may be given another's answer
 * (CVE-2023-28858). Redis numbers no answers: a client that miscounts them once hands each to the next request.
 */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { Key } from "../../src/core/session-record.ts";
import type { SessionStore } from "../../src/core/session-store.ts";
import { CuttingProxy, type Direction } from "../support/cutting-proxy.ts";
import { type FaultyServer, openClient, startServer } from "../support/fault-clients.ts";
import { make, newSession } from "../support/redis-sessions.ts";

const SESSIONS = 40;
const CUTS = 60;

let server: FaultyServer;
const closing: (() => unknown)[] = [];

beforeAll(async () => {
  server = await startServer("Redis");
});
afterAll(() => server.stop());
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

/** What a session is answered is its name, or the call failed. */
type Answer = { readonly name: string | undefined } | null;

async function load(store: SessionStore, key: Key): Promise<Answer> {
  const found = await store.load(key, Date.now());
  return { name: found?.kind === "session" ? found.fields["name"] : `no session: ${found?.kind}` };
}

/** Expects what is not so: the refusal tells the text that is there. */
async function commit(store: SessionStore, key: Key, operation: string): Promise<Answer> {
  const change = { operation, now: Date.now(), expect: { name: '"nobody"' }, set: { name: '"nobody"' } };
  const answer = await store.commit(key, change);
  return { name: !answer.ok && answer.reason === "conflict" ? (answer.current["name"] ?? undefined) : "accepted" };
}

describe.each(["ioredis 5", "ioredis 6", "node-redis"] as const)("one connection of %s", (client) => {
  test("that is cut again and again gives no request the answer of another", async () => {
    const direct = await openClient(client, server.port);
    closing.push(direct.close);
    const proxy = await CuttingProxy.before(server.port);
    closing.push(() => proxy.close());
    const { store, close } = await openClient(client, proxy.port);
    closing.push(close);
    const names = Array.from({ length: SESSIONS }, (_, index) => `"${client} ${index}"`);
    const keys = await Promise.all(names.map((name) => make(direct.store, newSession().handle, { name })));
    const foreign = new Set<string>();
    let failed = 0;
    let answered = 0;
    let operations = 0;

    /** A read and a write of each session at once, all on the one connection. */
    const round = async (): Promise<void> => {
      const calls = keys.flatMap((key, index) => {
        const calls = [load(store, key), commit(store, key, `operation ${(operations += 1)}`)];
        return calls.map((call) => call.catch(() => null).then((answer) => ({ answer, expected: names[index] })));
      });
      for (const { answer, expected } of await Promise.all(calls)) {
        if (answer === null) failed += 1;
        else if (answer.name === expected) answered += 1;
        else foreign.add(`${answer.name} instead of ${expected}`);
      }
    };

    await round();
    const whole = answered;
    expect([whole, failed]).toEqual([2 * SESSIONS, 0]);
    proxy.resetCounts();
    await round();
    const bytes = proxy.counts;
    let cuts = 0;
    for (let cut = 0; cut < CUTS; cut += 1) {
      const direction: Direction = cut % 2 === 0 ? "toClient" : "toServer";
      // Every part of what travels in a round, in uneven steps.
      const at = Math.floor((bytes[direction] * (cut + 0.5)) / CUTS);
      void proxy.cutAfter(direction, at).then(() => (cuts += 1));
      await round();
      await round();
      proxy.keepWhole();
    }
    expect([...foreign]).toEqual([]);
    // All was as it was meant: connections broke, and what could be answered was.
    expect(cuts).toBe(CUTS);
    expect(answered).toBeGreaterThan(whole * CUTS);
    expect(failed + answered).toBe(whole * (2 * CUTS + 2));
  });
});
