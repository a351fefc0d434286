import fc from "fast-check";
import { expect, it } from "vitest";
import type { FastSessionError } from "../../src/core/errors.ts";
import type { Visit } from "../support/browser.ts";
import { browsersOf, type Fate, FatefulStore, turns } from "./fateful-store.ts";

const SEED = 20_261_125;

type Data = Record<string, unknown>;
/** One thing a request does, to its session or to a plain object. `value` is one that nobody else writes. */
type Act = (data: Data, field: string, value: number) => void;

const acts: Record<string, Act> = {
  set: (data, field, value) => void (data[field] = value),
  // What others may have been about to leave.
  setToOne: (data, field) => void (data[field] = 1),
  delete: (data, field) => void delete data[field],
  increment: (data, field, value) => void (data[field] = Number(data[field] ?? 0) + value),
  update: (data, field, value) => void (data[field] = Number(data[field] ?? 0) * 2 + value),
  // The same whatever was there, so that it often comes to nothing.
  updateToOne: (data, field) => void (data[field] = 1),
  updateToNothing: (data, field) => void delete data[field],
  append: (data, _field, value) => void (data["list"] = [...((data["list"] as number[] | undefined) ?? []), value]),
  clear(data) {
    for (const name of Object.keys(data)) delete data[name];
  },
};

function act(name: string, { session }: Visit, field: string, value: number): void {
  if (name === "increment") session.increment(field, value);
  else if (name === "update") session.update(field, (current = 0) => Number(current) * 2 + value);
  else if (name === "updateToOne") session.update(field, () => 1);
  else if (name === "updateToNothing") session.update(field, () => undefined);
  else if (name === "append") session.append("list", value);
  else if (name === "clear") session.clearSession();
  else acts[name]?.(session, field, value);
}

const often = ["increment", "append", "updateToOne"];
const deed = fc.record({
  name: fc.constantFrom(...Object.keys(acts), ...often),
  field: fc.constantFrom("a", "b"),
});
type Deed = { readonly name: string; readonly field: string; readonly value: number };

/** What a request did since it was last told that all is saved. */
class Unit {
  readonly #visit: Visit;
  readonly #seen: Data;
  readonly #deeds: Deed[] = [];
  #own: Data;
  #refused = false;

  constructor(visit: Visit) {
    this.#visit = visit;
    this.#seen = structuredClone({ ...visit.session });
    this.#own = structuredClone(this.#seen);
  }

  do(given: Deed): void {
    act(given.name, this.#visit, given.field, given.value);
    acts[given.name]?.(this.#own, given.field, given.value);
    this.#deeds.push(given);
    expect({ ...this.#visit.session }).toEqual(this.#own);
  }

  /** It is not saved, and stays recorded: on top of what others had saved, if it met that. */
  refuse(): void {
    this.#refused = true;
    const before = this.#own;
    this.#own = structuredClone({ ...this.#visit.session });
    for (const field of ["a", "b"]) {
      const last = this.#deeds.findLast(
        ({ name, field: of }) => name === "clear" || (name !== "append" && of === field),
      );
      if (last?.name.startsWith("set") === true) expect(this.#own[field]).toBe(before[field]);
    }
  }

  /** What may be stored after it, where this is. */
  after(stored: Data): Data[] {
    const all = structuredClone(stored);
    for (const { name, field, value } of this.#deeds) acts[name]?.(all, field, value);
    if (this.#clears) return [all];
    let possible = [all];
    // Left as it was found is no change, whatever another request did.
    for (const field of ["a", "b"]) {
      const unchanged = (data: Data): Data => {
        const { [field]: _, ...others } = data;
        return field in stored ? { ...others, [field]: stored[field] } : others;
      };
      if (this.#own[field] === this.#seen[field]) possible = possible.map(unchanged);
      // What a refused call found, it may leave.
      else if (this.#refused) possible = possible.flatMap((data) => [data, unchanged(data)]);
    }
    return possible;
  }

  /** Whether the session shows what is stored now, as far as it was touched. */
  shows(stored: Data): boolean {
    const { session } = this.#visit;
    const touched = this.#deeds.map(({ name, field }) => (name === "append" ? "list" : field));
    return (this.#clears ? Object.keys({ ...stored, ...session }) : touched).every(
      (field) =>
        JSON.stringify(session[field]) === JSON.stringify(stored[field]) || this.#own[field] === this.#seen[field],
    );
  }

  get #clears(): boolean {
    return this.#deeds.some(({ name }) => name === "clear");
  }
}

const trouble = fc.constantFrom<Fate>("lost", "cut", "late", "refused");
const request = fc.record({
  begins: fc.nat(6),
  ends: fc.nat(6),
  steps: fc.array(fc.array(deed, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 3 }),
});

it.each([
  ["are answered", false],
  ["save, go on after a save that failed, and save again", true],
])(
  "requests of one process that %s leave what they would have left one after the other",
  async (_, saves) => {
    const requests = fc.array(request, { minLength: 2, maxLength: 8 });
    // Two in a row are made good by repeats.
    const fates = fc.array(fc.array(trouble, { maxLength: 2 }), { maxLength: 3 });
    const count = { commits: 0, done: 0, refused: 0, unknown: 0 };
    await fc.assert(
      fc.asyncProperty(requests, fates, async (given, troubles) => {
        const store = new FatefulStore(troubles.flatMap((some) => [...some, "well", "well"]));
        const [browser] = browsersOf(store);
        let possible: Data[] = [{ a: 1 }];
        let unsure = false;
        await browser.visit((session) => void (session["a"] = 1));
        const play = async ({ steps, begins, ends }: (typeof given)[number], index: number): Promise<void> => {
          await turns(begins);
          const visit = await browser.start();
          let unit = new Unit(visit);
          let value = 100 * index + 2;
          const told = async (call: () => Promise<unknown>): Promise<void> => {
            await turns(ends);
            try {
              await call();
            } catch (error) {
              const { code } = error as FastSessionError;
              expect(["ERR_SESSION_STORE", "ERR_SESSION_STORE_UNKNOWN"]).toContain(code);
              if (code === "ERR_SESSION_STORE") {
                count.refused += 1;
                if (saves) unit.refuse();
                return;
              }
              // It met what it had not seen, and that answer was lost: it is not made again, but may still arrive.
              count.unknown += 1;
              unsure ||= troubles.flat().includes("late");
              unit = new Unit(visit);
              return;
            }
            count.done += 1;
            possible = possible.flatMap((stored) => unit.after(stored));
            if (!unsure) {
              const before = possible;
              possible = possible.filter((stored) => unit.shows(stored));
              if (possible.length === 0) expect({ ...visit.session }).toEqual(before);
            }
            unit = new Unit(visit);
          };
          for (const deeds of saves ? steps : [steps.flat()]) {
            for (const one of deeds) unit.do({ ...one, value: (value += 1) });
            if (saves) await told(() => visit.session.saveSession());
          }
          if (!saves) return told(() => visit.end());
          // As of a handler that gives up: what could not be saved is dropped.
          visit.abandon();
          await visit.end();
        };
        await Promise.all(given.map(play));
        await Promise.all(store.late);
        count.commits += store.commits;
        if (!unsure) expect((await browser.visit((session) => ({ ...session }))).result).toBeOneOf(possible);
      }),
      { seed: SEED, numRuns: 150 },
    );
    expect(count.commits).toBeLessThan(count.done);
    expect(count.refused).toBeGreaterThan(20);
    expect(count.unknown).toBeLessThan(count.done / 20);
  },
  60_000,
);
