/** Processes that churn through sessions of a few users, and what the store then says of these against a full scan. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { SessionStore } from "../../src/core/session-store.ts";
import type { Backend } from "./fleet-backends.ts";
import type { BackendName } from "./fleet-stores.ts";

export const CHURN_USERS = ["ann", "bob", "cid", "dan", "eve", "fay"];

const program = join(import.meta.dirname, "churn-child.ts");

export class Churn {
  readonly #children: ChildProcess[];
  #steps = 0;
  /** The latest of their clocks. */
  now: number;

  constructor(name: BackendName, address: string, start: number, seeds: readonly number[]) {
    this.now = start;
    this.#children = seeds.map((seed) => {
      const child = fork(program, [name, address, String(start), String(seed)], { execArgv: ["--import", "tsx"] });
      child.on("message", (now: number) => {
        this.#steps += 1;
        this.now = Math.max(this.now, now);
      });
      return child;
    });
  }

  /** Until so many more calls were made. */
  async goOn(steps: number): Promise<void> {
    for (const enough = this.#steps + steps; this.#steps < enough;) {
      if (this.#children.some(({ exitCode }) => exitCode !== null)) throw new Error("a process ended by itself");
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  /** Kills them where they stand. */
  async kill(): Promise<void> {
    for (const child of this.#children) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const ended = once(child, "exit");
      child.kill("SIGKILL");
      await ended;
    }
  }
}

/** What the store lists of each user at an instant, and what a scan finds alive then. */
export async function listedAndScanned(
  store: SessionStore,
  backend: Backend,
  now: number,
): Promise<{ readonly listed: string[]; readonly scanned: string[]; readonly torn: readonly unknown[] }> {
  const listed: string[] = [];
  for (const user of CHURN_USERS) {
    let after: string | null | undefined;
    do {
      const page = await (store as Required<SessionStore>).listByUser(user, { now, after, limit: 3 });
      for (const { handle } of page.sessions) listed.push(`${user} ${handle}`);
      ({ after } = page);
    } while (after !== null);
  }
  const { records, torn } = await backend.scan();
  const alive = records.filter(({ userId, expiresAt }) => userId !== null && expiresAt > now);
  return {
    listed: listed.toSorted(),
    scanned: alive.map(({ userId, handle }) => `${userId} ${handle}`).toSorted(),
    torn,
  };
}
