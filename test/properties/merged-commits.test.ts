import fc from "fast-check";
import { expect, it } from "vitest";
import { createSessions } from "../../src/create-sessions.ts";
import type { Change } from "../../src/core/session-store.ts";
import { RemoteStore } from "../stores/broken-remote-stores.ts";
import { Browser, type Visit } from "../support/browser.ts";

const SEED = 20_261_125;

/** What becomes of a commit: it is answered, its answer is lost, it never arrives, or it arrives after its repeat. */
type Fate = "well" | "lost" | "cut" | "late";

class FatefulStore extends RemoteStore {
  readonly #fates: Fate[];
  readonly late: Promise<unknown>[] = [];
  commits = 0;

  constructor(fates: readonly Fate[]) {
    super();
    this.#fates = [...fates];
  }

  override async commit(key: string, change: Change): ReturnType<RemoteStore["commit"]> {
    this.commits += 1;
    const fate = this.#fates.shift() ?? "well";
    if (fate === "well") return super.commit(key, change);
    if (fate === "lost") await super.commit(key, change);
    if (fate === "late") this.late.push(delay(20).then(() => super.commit(key, change)));
    throw new Error("socket closed");
  }
}

function delay(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

function browsersOf(store: RemoteStore): [Browser, Browser] {
  const secretKey = "a secret of more than thirty-two bytes";
  const process = (): Browser => new Browser(createSessions({ secretKey, store, logLevel: "silent" }));
  return [process(), process()];
}

const trouble = fc.constantFrom<Fate>("lost", "cut", "late");
const timing = { begins: fc.nat(6), ends: fc.nat(6) };

type Data = Record<string, unknown>;
/** One thing a request does, to its session or to a plain object. `value` is one that nobody else writes. */
type Act = (data: Data, field: string, value: number) => void;

const acts: Record<string, Act> = {
  set: (data, field, value) => void (data[field] = value),
  delete: (data, field) => void delete data[field],
  increment: (data, field, value) => void (data[field] = Number(data[field] ?? 0) + value),
  update: (data, field, value) => void (data[field] = Number(data[field] ?? 0) * 2 + value),
  append: (data, _field, value) => void (data["list"] = [...((data["list"] as number[] | undefined) ?? []), value]),
  clear(data) {
    for (const name of Object.keys(data)) delete data[name];
  },
};

function act(name: string, { session }: Visit, field: string, value: number): void {
  if (name === "increment") session.increment(field, value);
  else if (name === "update") session.update(field, (current = 0) => Number(current) * 2 + value);
  else if (name === "append") session.append("list", value);
  else if (name === "clear") session.clearSession();
  else acts[name]?.(session, field, value);
}

const deed = fc.record({
  name: fc.constantFrom("set", "delete", "increment", "increment", "update", "append", "append", "clear"),
  field: fc.constantFrom("a", "b"),
});

it("requests of one process leave what they would have left one after the other, as they were answered", async () => {
  const requests = fc.array(fc.record({ deeds: fc.array(deed, { minLength: 1, maxLength: 3 }), ...timing }), {
    minLength: 2,
    maxLength: 8,
  });
  // Two in a row are made good by repeats.
  const fates = fc.array(fc.array(trouble, { maxLength: 2 }), { maxLength: 2 });
  let commits = 0;
  let answered = 0;
  let failed = 0;
  await fc.assert(
    fc.asyncProperty(requests, fates, async (given, troubles) => {
      const store = new FatefulStore(troubles.flatMap((some) => [...some, "well", "well"]));
      const [browser] = browsersOf(store);
      const model: Data = { a: 1 };
      let unsure = false;
      await browser.visit((session) => void (session["a"] = 1));
      const request = async ({ deeds, begins, ends }: (typeof given)[number], index: number): Promise<void> => {
        await turns(begins);
        const visit = await browser.start();
        const seen: Data = structuredClone({ ...visit.session });
        const own = structuredClone(seen);
        for (const [at, { name, field }] of deeds.entries()) {
          act(name, visit, field, 100 * index + at + 2);
          acts[name]?.(own, field, 100 * index + at + 2);
        }
        expect({ ...visit.session }).toEqual(own);
        await turns(ends);
        answered += 1;
        try {
          await visit.end();
        } catch (error) {
          // It met what it had not seen, and that answer was lost: it is not made again, but may still arrive.
          expect(error).toMatchObject({ code: "ERR_SESSION_STORE_UNKNOWN" });
          failed += 1;
          unsure ||= troubles.flat().includes("late");
          return;
        }
        const cleared = deeds.some(({ name }) => name === "clear");
        const before = structuredClone(model);
        for (const [at, { name, field }] of deeds.entries()) acts[name]?.(model, field, 100 * index + at + 2);
        // Removed as it was found, absent: no change, whatever another request did.
        for (const field of cleared ? [] : ["a", "b"]) {
          const last = deeds.findLast((one) => one.field === field && one.name !== "append");
          if (last?.name === "delete" && seen[field] === undefined && before[field] !== undefined) {
            model[field] = before[field];
          }
        }
      };
      await Promise.all(given.map(request));
      await Promise.all(store.late);
      commits += store.commits;
      if (!unsure) expect((await browser.visit((session) => ({ ...session }))).result).toEqual(model);
    }),
    { seed: SEED, numRuns: 150 },
  );
  expect(commits).toBeLessThan(answered);
  expect(failed).toBeLessThan(answered / 20);
}, 30_000);

it("what requests of two processes were told is so: done is done once, and failed is done once or never", async () => {
  const requests = fc.array(fc.record({ ...timing, process: fc.nat(1), saves: fc.boolean() }), {
    minLength: 2,
    maxLength: 8,
  });
  const fates = fc.array(fc.oneof({ weight: 2, arbitrary: fc.constant<Fate>("well") }, trouble), { maxLength: 24 });
  const told = { done: 0, failed: 0 };
  await fc.assert(
    fc.asyncProperty(requests, fates, async (given, troubles) => {
      const store = new FatefulStore(troubles);
      const browsers = browsersOf(store);
      await browsers[0].visit((session) => void (session["count"] = 0));
      browsers[1].cookie = browsers[0].cookie;
      /** Marks that have to be there once, and those that may. */
      const done: string[] = [];
      const failed: string[] = [];
      const request = async (
        { begins, ends, process, saves }: (typeof given)[number],
        index: number,
      ): Promise<void> => {
        await turns(begins);
        const visit = await (browsers[process] as Browser).start();
        const mark = (name: string, place: number): string => {
          // One digit of base 4 each: whoever counts twice shows.
          visit.session.increment("count", 4 ** place);
          visit.session.append("list", name);
          visit.session[name] = place;
          return name;
        };
        const marks = [mark(`first${index}`, 2 * index)];
        let saved = true;
        if (saves) {
          await turns(ends);
          await visit.session.saveSession().catch(() => (saved = false));
          if (saved) done.push(...marks.splice(0));
          else failed.push(...marks.splice(0));
          marks.push(mark(`second${index}`, 2 * index + 1));
        }
        await turns(ends);
        await visit.end().then(
          () => done.push(...marks),
          () => failed.push(...marks),
        );
      };
      await Promise.all(given.map(request));
      await Promise.all(store.late);
      const { result } = await browsers[0].visit((session) => ({ ...session }));
      const list = (result["list"] ?? []) as string[];
      expect(list.filter((name) => done.includes(name)).toSorted()).toEqual(done.toSorted());
      expect(new Set(list).size).toBe(list.length);
      expect(list.filter((name) => !done.includes(name) && !failed.includes(name))).toEqual([]);
      expect(Object.keys(result)).toEqual(expect.arrayContaining(done));
      const places = list.map((name) => 4 ** (2 * Number(/\d+/.exec(name)?.[0]) + Number(name.startsWith("second"))));
      expect(result["count"]).toBe(places.reduce((sum, digit) => sum + digit, 0));
      told.done += done.length;
      told.failed += failed.length;
    }),
    { seed: SEED, numRuns: 100 },
  );
  expect(told.done).toBeGreaterThan(100);
  expect(told.failed).toBeGreaterThan(10);
}, 60_000);
