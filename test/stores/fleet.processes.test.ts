/** Several processes on one store: what a fleet must survive, on each backend that several processes may share. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { Fleet } from "../support/fleet.ts";
import { type Backend, startBackend } from "../support/fleet-backends.ts";
import { History } from "../support/fleet-history.ts";
import { BACKENDS } from "../support/fleet-stores.ts";

/** Calls for each of `count` numbers, so many at once. */
async function each(count: number, atOnce: number, call: (index: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) await call(next++);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}

/** Sixty seconds are enough on a machine of one's own; others may work on this one. */
const patience = { timeout: 240_000 };

describe.each(BACKENDS)("four processes on one %s", patience, (name) => {
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

  describe("whose clocks differ", () => {
    const set = (offsets: readonly number[]): Promise<unknown> =>
      Promise.all(offsets.map((offset, at) => fleet.visit(at, `/clock?value=${offset}`)));
    afterEach(() => set([0, 0, 0, 0]));

    const skewed = [
      ["by five seconds", [5000, -5000, 0, 2500]],
      ["by an hour, as after a clock was set back", [0, -3_600_000, -3_600_000, 0]],
    ] as const;
    test.each(skewed)("log nobody out and let nobody back in: %s", async (_, offsets) => {
      await set(offsets);
      for (const [first, second] of [
        [0, 1],
        [1, 0],
        [2, 3],
      ] as const) {
        const user = `skewed ${name} ${first} ${offsets[1]}`;
        const visitor = await fleet.visit(first, "/set?value=before");
        const login = await fleet.visit(second, `/login?value=${encodeURIComponent(user)}`, visitor.cookie);
        const renewed = await fleet.visit(first, "/regenerate", login.cookie);
        for (const at of [0, 1, 2, 3]) await fleet.visit(at, `/set?value=key${at}`, renewed.cookie);
        for (const at of [0, 1, 2, 3]) {
          const seen = await fleet.visit(at, "/", renewed.cookie);
          expect(seen).toMatchObject({ cause: "resumed", userId: user });
          expect(Object.keys(seen.data)).toEqual(expect.arrayContaining(["before", "key0", "key1", "key2", "key3"]));
          for (const old of [visitor, login]) {
            expect(await fleet.visit(at, "/", old.cookie)).toMatchObject({ userId: null, data: {} });
          }
        }
        await fleet.visit(second, "/logout", renewed.cookie);
        const again = await fleet.visit(second, `/login?value=${encodeURIComponent(user)}`);
        await fleet.send(first, `/revoke?value=${encodeURIComponent(user)}`);
        const last = await fleet.visit(first, `/login?value=${encodeURIComponent(user)}`);
        for (const at of [0, 1, 2, 3]) {
          await fleet.visit(at, "/sweep");
          for (const old of [renewed, again]) {
            expect(await fleet.visit(at, "/", old.cookie)).toMatchObject({ userId: null, data: {} });
          }
          expect(await fleet.visit(at, "/", last.cookie)).toMatchObject({ cause: "resumed", userId: user });
        }
      }
    });

    test("keep a session when the clock of the process that made it is set back", async () => {
      const { cookie } = await fleet.visit(0, "/login?value=ann");
      await set([-3_600_000, 0, 0, 0]);
      for (const at of [0, 1, 0, 2]) {
        expect(await fleet.visit(at, "/increment?value=later", cookie)).toMatchObject({
          cause: "resumed",
          userId: "ann",
        });
      }
      await fleet.visit(0, "/logout", cookie);
      await set([0, 0, 0, 0]);
      for (const at of [0, 1, 2, 3]) {
        expect(await fleet.visit(at, "/", cookie)).toMatchObject({ userId: null, data: {} });
      }
    });
  });

  describe("keep what they acknowledged, once, in a random history", () => {
    const seed = Number(process.env["FLEET_SEED"] ?? 20_261_123);

    async function survive(blows: readonly (() => Promise<unknown>)[]): Promise<void> {
      const history = new History(fleet, seed);
      await history.play(8, 30, blows);
      const { records, torn } = await (backend as Backend).scan();
      expect({ faults: await history.faults(records), torn }, `FLEET_SEED=${seed}`).toEqual({ faults: [], torn: [] });
      // The history was one: nearly all calls came through.
      expect(history.counts.answered).toBeGreaterThan(300);
    }

    test("in which processes are killed", async () => {
      const blow = (at: number) => async (): Promise<void> => {
        await fleet.kill(at);
        await fleet.join();
      };
      await survive([blow(0), blow(1), blow(2)]);
    });

    test.skipIf(name === "SQLite")("in which the store's server is killed", async () => {
      const { crash } = backend as Required<Backend>;
      await survive([crash, crash]);
    });
  });
});
