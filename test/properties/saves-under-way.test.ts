import fc from "fast-check";
import { expect, it } from "vitest";
import { createSessions } from "../../src/create-sessions.ts";
import type { DefaultData, Session } from "../../src/core/session-types.ts";
import { MemoryStore } from "../../src/stores/memory.ts";
import { HostileStore } from "../../src/testing/hostile-store.ts";
import { Browser } from "../support/browser.ts";

const SEED = 20_261_124;

type Data = Record<string, unknown>;
/** Does one thing to the session, and the same to a plain object. */
type Act = (session: Session<DefaultData>, field: string, value: number, model: Data) => unknown;

const numbers = (value: unknown): value is number[] => Array.isArray(value);

const acts: Record<string, Act> = {
  set: (session, field, value, model) => (session[field] = model[field] = value),
  setList(session, field, value, model) {
    session[field] = [value];
    model[field] = [value];
  },
  delete: (session, field, _value, model) => delete session[field] && delete model[field],
  clear(session, _field, _value, model) {
    session.clearSession();
    for (const field of Object.keys(model)) delete model[field];
  },
  increment(session, field, value, model) {
    const before = model[field] ?? 0;
    if (typeof before === "number") model[field] = session.increment(field, value);
    else expect(() => session.increment(field, value)).toThrow("number");
  },
  append(session, field, value, model) {
    const before = model[field] ?? [];
    if (numbers(before)) {
      session.append(field, value);
      model[field] = [...before, value];
    } else expect(() => session.append(field, value)).toThrow("list");
  },
  changeInPlace(session, field, value, model) {
    for (const list of [session[field] as unknown, model[field]]) if (numbers(list)) list.push(value);
  },
  updateToNothing(session, field, _value, model) {
    session.update(field, () => undefined);
    delete model[field];
  },
  // Not awaited, so that what follows happens while they are under way.
  save: (session) => session.saveSession(),
  login: (session) => session.login("ann"),
  turn: () => new Promise((resolve) => setTimeout(resolve, 0)),
};

const step = fc.record({
  act: fc.constantFrom(...Object.keys(acts)),
  field: fc.constantFrom("a", "b"),
  value: fc.integer({ min: 1, max: 3 }),
});

it("whatever is under way, a request sees and leaves what it did", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 14 }), fc.boolean(), async (steps, saved) => {
      const store = new HostileStore(new MemoryStore(), { local: false });
      const secretKey = "a secret of more than thirty-two bytes";
      const browser = new Browser(createSessions({ secretKey, store, logLevel: "silent" }));
      const model: Data = saved ? { a: 1, b: [2] } : {};
      if (saved) await browser.visit((session) => void Object.assign(session, structuredClone(model)));
      const visit = await browser.start();
      const { session } = visit;
      const underWay: unknown[] = [];
      for (const { act, field, value } of steps) {
        const done = acts[act]?.(session, field, value, model);
        if (act === "turn") await done;
        else underWay.push(done);
        expect({ ...session }).toEqual(model);
        expect([session.has("a"), session.has("b")]).toEqual(["a" in model, "b" in model]);
      }
      browser.keep(await visit.end());
      await Promise.all(underWay);
      expect((await browser.visit((next) => ({ ...next }))).result).toEqual(model);
    }),
    { numRuns: 150, seed: SEED },
  );
});
