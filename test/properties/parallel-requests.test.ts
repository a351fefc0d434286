import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createSessions } from "../../src/create-sessions.ts";
import { Browser, type Visit } from "../support/browser.ts";

const SEED = 20_261_123;
const FIELDS = ["a", "b", "c"];

type Action =
  | { readonly type: "set"; readonly field: string; readonly value: number }
  | { readonly type: "delete"; readonly field: string }
  | { readonly type: "increment"; readonly field: string; readonly by: number }
  | { readonly type: "append"; readonly value: number }
  | { readonly type: "clear" };

const field = fc.constantFrom(...FIELDS);
const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ type: fc.constant("set" as const), field, value: fc.integer({ min: 1, max: 99 }) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ type: fc.constant("increment" as const), field, by: fc.integer({ min: 1, max: 9 }) }),
  },
  { weight: 3, arbitrary: fc.record({ type: fc.constant("append" as const), value: fc.integer({ min: 1, max: 99 }) }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant("delete" as const), field }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("clear" as const) }) },
);

/** What a request did, told by its effect on whatever it finds when it commits. */
class Model {
  readonly data: Record<string, unknown>;
  /** The data as the request saw it, and what it did to it, field by field. */
  readonly #effects: ((data: Record<string, unknown>) => void)[] = [];
  readonly #seen: Record<string, unknown>;

  constructor(seen: Record<string, unknown>) {
    this.data = structuredClone(seen);
    this.#seen = seen;
  }

  do(step: Action): void {
    applyTo(this.data, step);
    this.#effects.push((data) => applyTo(data, step));
  }

  /** Fields that end as the request saw them were not changed, as far as the store can tell. */
  commit(stored: Record<string, unknown>, cleared: boolean, assigned: ReadonlySet<string>): void {
    const touched = new Set<string>();
    const scratch: Record<string, unknown> = structuredClone(stored);
    for (const effect of this.#effects) effect(scratch);
    for (const name of new Set([...Object.keys(scratch), ...Object.keys(stored), ...Object.keys(this.data)])) {
      touched.add(name);
    }
    for (const name of touched) {
      if (assigned.has(name) && !cleared && same(this.data[name], this.#seen[name])) continue;
      if (scratch[name] === undefined) delete stored[name];
      else stored[name] = scratch[name];
    }
  }
}

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

function applyTo(data: Record<string, unknown>, step: Action): void {
  switch (step.type) {
    case "set":
      data[step.field] = step.value;
      break;
    case "delete":
      delete data[step.field];
      break;
    case "increment":
      data[step.field] = ((data[step.field] as number | undefined) ?? 0) + step.by;
      break;
    case "append":
      data["list"] = [...((data["list"] as number[] | undefined) ?? []), step.value];
      break;
    case "clear":
      for (const name of Object.keys(data)) delete data[name];
      break;
  }
}

function run(visit: Visit, step: Action): void {
  const { session } = visit;
  switch (step.type) {
    case "set":
      session[step.field] = step.value;
      break;
    case "delete":
      delete session[step.field];
      break;
    case "increment":
      session.increment(step.field, step.by);
      break;
    case "append":
      session.append("list", step.value);
      break;
    case "clear":
      session.clearSession();
      break;
  }
}

describe("requests of one session, in any interleaving", () => {
  it("leave what they would have left one after the other, field by field", async () => {
    const schedule = fc.array(
      fc.oneof(
        { weight: 5, arbitrary: fc.record({ request: fc.nat(2), action }) },
        { weight: 2, arbitrary: fc.record({ request: fc.nat(2), action: fc.constant(null) }) },
      ),
      { minLength: 1, maxLength: 24 },
    );
    await fc.assert(
      fc.asyncProperty(schedule, async (events) => {
        const browser = new Browser(
          createSessions({ secretKey: "a secret of more than thirty-two bytes", logLevel: "silent" }),
        );
        const stored: Record<string, unknown> = { a: 1 };
        await browser.visit((session) => void (session["a"] = 1));
        const open = new Map<number, { visit: Visit; model: Model; cleared: boolean; assigned: Set<string> }>();
        const end = async (request: number): Promise<void> => {
          const one = open.get(request);
          if (one === undefined) return;
          open.delete(request);
          await one.visit.end();
          one.model.commit(stored, one.cleared, one.assigned);
        };
        for (const { request, action: step } of events) {
          if (step === null) {
            await end(request);
            continue;
          }
          let one = open.get(request);
          if (one === undefined) {
            const visit = await browser.start();
            // Read now: a local store is read at the first access.
            visit.session.has("a");
            one = { visit, model: new Model(structuredClone(stored)), cleared: false, assigned: new Set() };
            open.set(request, one);
          }
          run(one.visit, step);
          one.model.do(step);
          if (step.type === "clear") one.cleared = true;
          if (step.type === "set" || step.type === "delete") one.assigned.add(step.field);
          expect({ ...one.visit.session }).toEqual(one.model.data);
        }
        for (const request of [0, 1, 2]) await end(request);
        const { result } = await browser.visit((session) => ({ ...session }));
        expect(result).toEqual(stored);
      }),
      { seed: SEED, numRuns: 1000 },
    );
  }, 30_000);
});
