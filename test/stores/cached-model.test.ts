/** Two processes with a cache each, over one backend, in any order of calls, answers and news. */
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Key } from "../../src/core/session-record.ts";
import type { StoreNotice } from "../../src/core/session-store.ts";
import { cached } from "../../src/stores/cached.ts";
import { Backend, RemoteStore } from "./broken-remote-stores.ts";

const NOW = 1_764_000_000_123;
const HOUR = 3_600_000;
const KEYS = ["k0", "k1"];
const AT = { now: NOW, tombstoneUntil: NOW + HOUR };

type Step =
  | { readonly verb: "load" | "commit"; readonly key: Key }
  | { readonly verb: "destroy" | "rotate"; readonly key: Key }
  | { readonly verb: "revokeUser" | "lose" };

const key = fc.constantFrom(...KEYS);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 12, arbitrary: fc.record({ verb: fc.constant("load" as const), key }) },
  { weight: 8, arbitrary: fc.record({ verb: fc.constant("commit" as const), key }) },
  { weight: 1, arbitrary: fc.record({ verb: fc.constantFrom("destroy" as const, "rotate" as const), key }) },
  { weight: 1, arbitrary: fc.record({ verb: fc.constantFrom("revokeUser" as const, "lose" as const) }) },
);
/** Two strands of each process, whose steps are taken one after the other. */
const strands = fc.tuple(...[0, 1, 2, 3].map(() => fc.array(step, { minLength: 1, maxLength: 10 })));

/** A store whose connection for news can break: what is told meanwhile is lost. */
class Remote extends RemoteStore {
  #connected = true;
  #tell: (notice: StoreNotice) => void = () => undefined;

  override async watch(listener: (notice: StoreNotice) => void) {
    this.#tell = listener;
    return super.watch((notice) => this.#connected && listener(notice));
  }

  async lose() {
    if (!this.#connected) return;
    this.#connected = false;
    // It takes a while until a broken connection shows.
    await this.backend.travel();
    this.#tell({ type: "lost" });
    await this.backend.travel();
    this.#connected = true;
    this.#tell({ type: "restored" });
  }
}

/** A process, and what it may not be served any more. */
class Process {
  readonly remote: Remote;
  readonly store: ReturnType<typeof cached>;
  /** Keys that a notice, or an answer of its own, said to have ended. */
  readonly ended = new Set<Key>();
  /** The version of each key that a commit of its own was answered with. */
  readonly written = new Map<Key, number>();
  fromMemory = 0;

  constructor(backend: Backend) {
    this.remote = new Remote(backend);
    this.store = cached(this.remote, { maxStale: 3600 });
  }

  async start() {
    await this.store.watch((notice) => {
      if ("keys" in notice && notice.type !== "changed") this.end(...notice.keys);
    });
  }

  end(...keys: readonly Key[]) {
    for (const one of keys) this.ended.add(one);
  }

  async take(one: Step, operation: string) {
    const { store } = this;
    switch (one.verb) {
      case "load": {
        const [ended, written] = [this.ended.has(one.key), this.written.get(one.key) ?? 0];
        const answer = store.load(one.key, NOW);
        if (!(answer instanceof Promise)) this.fromMemory += 1;
        const found = await answer;
        if (found?.kind !== "session") return;
        if (ended) throw new Error(`${one.key} was served after its end was told`);
        if (found.version < written) throw new Error(`${one.key} was served as it was before a write of this process`);
        return;
      }
      case "commit": {
        const answer = await store.commit(one.key, { operation, now: NOW, set: { a: operation } });
        if (answer.ok) this.written.set(one.key, Math.max(this.written.get(one.key) ?? 0, answer.version));
        return;
      }
      case "destroy":
        await store.destroy(one.key, AT);
        return this.end(one.key);
      case "rotate": {
        const leave = { kind: "tombstone", reason: "rotated", expiresAt: NOW + HOUR } as const;
        const answer = await store.rotate(one.key, operation, { operation, now: NOW }, { leave });
        if (answer.ok) this.end(one.key);
        return;
      }
      case "revokeUser":
        return this.end(...((await store.revokeUser?.("ann", AT))?.keys ?? []));
      case "lose":
        return this.remote.lose();
    }
  }
}

test("serves no ended session after the news, nothing older than the process's own writes, and settles on the truth", async () => {
  let fromMemory = 0;
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), strands, async (scheduler, plans) => {
      let free = true;
      const backend = new Backend(() => (free ? Promise.resolve() : scheduler.schedule(Promise.resolve())));
      const processes = [new Process(backend), new Process(backend)];
      for (const one of processes) await one.start();
      for (const [n, key] of KEYS.entries()) {
        const session = { key, fields: {}, createdAt: NOW, lastUsedAt: NOW, expiresAt: NOW + HOUR, handle: `h${n}` };
        const bind = { userId: n === 0 ? "ann" : "bob", metadata: {}, maxAge: null };
        backend.memory.create(session, { operation: key, now: NOW, bind });
      }
      free = false;
      const run = async (plan: readonly Step[], strand: number) => {
        for (const [n, one] of plan.entries()) await processes[strand % 2]?.take(one, `${strand}.${n}`);
      };
      await scheduler.waitFor(Promise.all(plans.map(run)));
      await scheduler.waitIdle();
      free = true;
      for (const { store, fromMemory: count } of processes) {
        fromMemory += count;
        for (const key of KEYS) expect(await store.load(key, NOW)).toEqual(backend.memory.load(key, NOW));
      }
    }),
    { seed: 20261123, numRuns: 800 },
  );
  // A cache that keeps nothing would pass.
  expect(fromMemory).toBeGreaterThan(400);
});
