/** Several processes on one store: what a fleet must survive, on each backend that several processes may share. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Fleet } from "../support/fleet.ts";
import { type Backend, startBackend } from "../support/fleet-backends.ts";
import { BACKENDS } from "../support/fleet-stores.ts";

/** Calls for each of `count` numbers, so many at once. */
async function each(count: number, atOnce: number, call: (index: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) await call(next++);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}

describe.each(BACKENDS)("four processes on one %s", (name) => {
  let backend: Backend | undefined;
  let fleet: Fleet;

  beforeAll(async () => {
    backend = await startBackend(name);
    fleet = await Fleet.start(name, backend.address, 4);
  });
  afterAll(async () => {
    await (fleet as Fleet | undefined)?.stop();
    await backend?.stop();
  });

  test("keep 2,000 parallel increments of 20 sessions, and 2,000 keys, each of one request", async () => {
    const cookies = await Promise.all(
      Array.from({ length: 20 }, async (_, index) => (await fleet.visit(index, "/set?value=first")).cookie),
    );
    // Every session by every process, and by several at once.
    await each(2000, 40, (index) =>
      fleet.visit(Math.floor(index / 20), `/increment?value=key${index}`, cookies[index % 20]),
    );
    for (const [index, cookie] of cookies.entries()) {
      const { data } = await fleet.visit(index + 1, "/", cookie);
      const keys = Array.from({ length: 100 }, (_, round) => [`key${round * 20 + index}`, true]);
      expect(data).toEqual({ n: 100, first: true, ...Object.fromEntries(keys) });
    }
  });

  test("let a slow writer bring no ended session back", async () => {
    const { cookie } = await fleet.visit(0, "/login?value=ann");
    const slow = fleet.visit(0, "/slow-write", cookie);
    expect((await fleet.visit(0, "/entered", cookie)).userId).toBe("ann");
    await fleet.visit(3, "/logout", cookie);
    await fleet.visit(0, "/finish");
    await slow;
    for (const at of [0, 1, 2, 3]) {
      expect(await fleet.visit(at, "/", cookie)).toMatchObject({ cause: "revoked", userId: null, data: {} });
    }
  });
});
