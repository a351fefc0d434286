import fc from "fast-check";
import { expect, it } from "vitest";
import type { FastSessionError } from "../../src/core/errors.ts";
import type { Visit } from "../support/browser.ts";
import { browsersOf, type Fate, FatefulStore, turns } from "./fateful-store.ts";

const SEED = 20_261_125;
/** How often a request does something before its last save, at most. */
const MARKS = 3;

/** A plain mark expects nothing, so that it is sent again where others' are given up. A constant one often changes nothing. */
type Kind = "sum" | "plain" | "constant";

/** What somebody was told of marks. */
interface Told {
  /** Have to be there, once. */
  readonly done: string[];
  /** May be there, once. */
  readonly unknown: string[];
  /** Must not be there. */
  readonly refused: string[];
}

/** A request that leaves marks. */
class Marker {
  readonly #visit: Visit;
  readonly #told: Told;
  /** What is not saved yet, as far as was told. */
  #pending: string[] = [];
  #doubt = false;
  readonly #store: FatefulStore;
  /** What was stored when the request began, and after. */
  readonly #since: number;
  readonly #process: number;

  constructor(visit: Visit, told: Told, store: FatefulStore, since: number, process: number) {
    this.#visit = visit;
    this.#process = process;
    this.#told = told;
    this.#store = store;
    this.#since = since;
  }

  mark(kind: Kind, place: number): void {
    const { session } = this.#visit;
    const name = `${kind}${place}`;
    if (kind === "sum") {
      // A digit of its own: what counts twice shows.
      session.increment("count", 2 ** place);
      session.append("list", name);
    } else if (kind === "constant") {
      session.update("state", () => this.#process);
    }
    session[name] = place;
    this.#pending.push(name);
  }

  /** @param last whether the request ends with it */
  async save(call: () => Promise<unknown>, last: boolean): Promise<void> {
    const { session } = this.#visit;
    try {
      await call();
    } catch (error) {
      const { code } = error as FastSessionError;
      expect(["ERR_SESSION_STORE", "ERR_SESSION_STORE_UNKNOWN"]).toContain(code);
      if (code === "ERR_SESSION_STORE_UNKNOWN") this.#doubt = true;
      // What a handler that goes on is not shown any more, no later save brings.
      const dropped = last ? this.#pending : this.#pending.filter((name) => session[name] === undefined);
      if (!last && !this.#doubt) expect(dropped).toEqual([]);
      (this.#doubt ? this.#told.unknown : this.#told.refused).push(...dropped);
      this.#pending = this.#pending.filter((name) => !dropped.includes(name));
      this.#doubt &&= this.#pending.length > 0;
      return;
    }
    this.#told.done.push(...this.#pending);
    expect(Object.keys(session)).toEqual(expect.arrayContaining(this.#pending));
    // What each process updates to its own number has that number, at least for a moment.
    if (this.#pending.some((name) => name.startsWith("constant"))) {
      expect(this.#store.states.slice(this.#since)).toContain(String(this.#process));
    }
    this.#pending = [];
    this.#doubt = false;
  }
}

const trouble = fc.constantFrom<Fate>("lost", "cut", "late", "refused", "refused");
const request = fc.record({
  begins: fc.nat(6),
  ends: fc.nat(6),
  process: fc.nat(1),
  saves: fc.nat(MARKS),
  kind: fc.constantFrom<Kind>("sum", "sum", "plain", "constant", "constant"),
});

it("what requests of two processes were told is so: done once, not done, or unknown and done at most once", async () => {
  const requests = fc.array(request, { minLength: 2, maxLength: 8 });
  const fates = fc.array(fc.oneof({ weight: 2, arbitrary: fc.constant<Fate>("well") }, trouble), { maxLength: 24 });
  const count = { done: 0, unknown: 0, refused: 0 };
  await fc.assert(
    fc.asyncProperty(requests, fates, async (given, troubles) => {
      const store = new FatefulStore(troubles);
      const browsers = browsersOf(store);
      await browsers[0].visit((session) => void (session["count"] = 0));
      browsers[1].cookie = browsers[0].cookie;
      const told: Told = { done: [], unknown: [], refused: [] };
      const play = async (one: (typeof given)[number], index: number): Promise<void> => {
        await turns(one.begins);
        const since = Math.max(0, store.states.length - 1);
        const visit = await browsers[one.process as 0 | 1].start();
        const marker = new Marker(visit, told, store, since, one.process);
        for (let saves = 0; saves <= one.saves; saves += 1) {
          marker.mark(one.kind, (MARKS + 1) * index + saves);
          await turns(one.ends);
          const last = saves === one.saves;
          await marker.save(() => (last ? visit.end() : visit.session.saveSession()), last);
        }
      };
      await Promise.all(given.map(play));
      await Promise.all(store.late);
      const { result } = await browsers[0].visit((session) => ({ ...session }));
      const { count: sum, list = [], state: _, ...fields } = result as Record<string, unknown> & { list?: string[] };
      const there = Object.keys(fields);
      expect(there).toEqual(expect.arrayContaining(told.done));
      expect(there.filter((name) => told.refused.includes(name))).toEqual([]);
      // What is there is there whole, and counts once.
      expect(list.toSorted()).toEqual(there.filter((name) => name.startsWith("sum")).toSorted());
      expect(sum).toBe(list.reduce((total, name) => total + 2 ** Number(fields[name]), 0));
      count.done += told.done.length;
      count.unknown += told.unknown.length;
      count.refused += told.refused.length;
    }),
    { seed: SEED, numRuns: 300 },
  );
  expect(count.done).toBeGreaterThan(100);
  expect(count.unknown).toBeGreaterThan(10);
  expect(count.refused).toBeGreaterThan(10);
}, 60_000);
