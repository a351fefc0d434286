import { newOperation } from "../core/session-id.ts";
import type { Fields, Key } from "../core/session-record.ts";
import type { Committed, Created, Rotated } from "../core/session-store.ts";
import { BrokenPromise, check, same } from "./store-contract-assert.ts";
import { type Scene, START, type StoreCase } from "./store-contract-scene.ts";

/** A promise about calls whose connection breaks under way. */
export interface FaultCase extends Pick<StoreCase, "promise" | "needs"> {
  /** @param breakConnections ends every connection of the store at once */
  readonly run: (scene: Scene, breakConnections: () => unknown) => Promise<void>;
}

/** How often connections break in a case. */
const BREAKS = 12;
/** Attempts of one call, 5 ms apart: a client needs a moment to connect again. */
const ATTEMPTS = 1000;

export const faultCases: readonly FaultCase[] = [
  {
    promise: "a change that is sent again counts once, and one that was refused has not happened",
    run: (scene, breakConnections) =>
      whileBreaking(breakConnections, 4, async (broke) => {
        const { key } = await insistently(() => scene.create({ fields: { n: "0" } }));
        for (let n = 0; n < 10 || !broke(); n += 1) {
          const change = scene.change({ expect: { n: `${n}` }, set: { n: `${n + 1}` } });
          const call = (): Promise<Committed> => accepted(scene.store.commit(key, change));
          await insistently(call, async () => same(await fieldsOf(scene, key), { n: `${n}` }, "the refused field"));
          same(await fieldsOf(scene, key), { n: `${n + 1}` }, "the fields");
        }
      }),
  },
  {
    promise: "a rotation that is sent again moves its record once, and leaves no other",
    run: (scene, breakConnections) =>
      whileBreaking(breakConnections, 2, async (broke) => {
        const { key: first, handle } = await insistently(() => scene.create({ fields: {} }));
        let key = first;
        let rounds = 0;
        while (rounds < 5 || !broke()) {
          const [old, fresh] = [key, scene.key()];
          const change = scene.change({ set: { [`round ${rounds}`]: "1" } });
          const leave = scene.tombstone();
          await insistently(() => accepted<Rotated>(scene.store.rotate(old, fresh, change, { leave })));
          check(!(await insistently(() => scene.isAlive(old))), "the old key is dead");
          key = fresh;
          rounds += 1;
        }
        same(Object.keys(await fieldsOf(scene, key)).length, rounds, "the number of fields");
        same((await insistently(() => scene.stored(key))).handle, handle, "the handle");
      }),
  },
  {
    promise: "a login that is sent again is one session in its user's list",
    needs: "userIndex",
    run: (scene, breakConnections) =>
      whileBreaking(breakConnections, 2, async (broke) => {
        const user = scene.user();
        const handles: string[] = [];
        while (handles.length < 5 || !broke()) {
          const session = scene.session({ key: scene.key(user) });
          const options = { operation: newOperation(), now: START, bind: scene.bind(user) };
          await insistently(() => accepted<Created>(scene.store.create(session, options)));
          handles.push(session.handle);
        }
        const listed = await insistently(() => scene.handles(user));
        same(listed.toSorted(), handles.toSorted(), "the list");
      }),
  },
];

/** Runs workers while connections break again and again, and until the last is done: none is left behind. */
async function whileBreaking(
  breakConnections: () => unknown,
  workers: number,
  work: (broke: () => boolean) => Promise<void>,
): Promise<void> {
  const state = { broke: false };
  const breaking = async (): Promise<void> => {
    for (let round = 0; round < BREAKS; round += 1) {
      await pause(round);
      await breakConnections();
    }
    state.broke = true;
  };
  const done = await Promise.allSettled([
    breaking(),
    ...Array.from({ length: workers }, () => work(() => state.broke)),
  ]);
  for (const one of done) if (one.status === "rejected") throw one.reason;
}

/** Makes the same call until it is answered. `refused` looks what has happened when the store says that nothing has. */
async function insistently<T>(call: () => Promise<T>, refused?: () => Promise<unknown>): Promise<T> {
  let doubt = false;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await call();
    } catch (error) {
      if (error instanceof BrokenPromise || attempt === ATTEMPTS) throw error;
      doubt ||= (error as { code?: string }).code !== "ERR_SESSION_STORE";
      if (!doubt) await refused?.();
      await pause(5);
    }
  }
}

async function accepted<Ok extends { readonly ok: true }>(call: unknown): Promise<Ok> {
  const answer = (await call) as Ok | { readonly ok: false; readonly reason: string };
  if (!answer.ok) throw new BrokenPromise(`a call that no other hinders is accepted (got ${answer.reason})`);
  return answer;
}

async function fieldsOf(scene: Scene, key: Key): Promise<Fields> {
  return insistently(() => scene.fieldsOf(key));
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
