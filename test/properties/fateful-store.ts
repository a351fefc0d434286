import { FastSessionError } from "../../src/core/errors.ts";
import type { Change } from "../../src/core/session-store.ts";
import { createSessions } from "../../src/create-sessions.ts";
import { RemoteStore } from "../stores/broken-remote-stores.ts";
import { Browser } from "../support/browser.ts";

/**
 * What becomes of a commit: it is answered, its answer is lost, it never arrives, it arrives after its repeat, or the
 * store says that it did nothing.
 */
export type Fate = "well" | "lost" | "cut" | "late" | "refused";

export class FatefulStore extends RemoteStore {
  readonly #fates: Fate[];
  readonly late: Promise<unknown>[] = [];
  /** The text of the field `state` after each step of the backend, in a test of one session. */
  readonly states: unknown[] = [];
  commits = 0;
  #key = "";

  constructor(fates: readonly Fate[]) {
    super();
    this.#fates = [...fates];
  }

  override once<Result extends { readonly ok: boolean }>(operation: string, step: () => Result): Result {
    return super.once(operation, () => {
      const answer = step();
      const found = this.memory.load(this.#key, Date.now());
      this.states.push(found?.kind === "session" ? found.fields["state"] : undefined);
      return answer;
    });
  }

  override async commit(key: string, change: Change): ReturnType<RemoteStore["commit"]> {
    this.commits += 1;
    this.#key = key;
    const fate = this.#fates.shift() ?? "well";
    if (fate === "well") return super.commit(key, change);
    if (fate === "refused") {
      await this.backend.travel();
      throw new FastSessionError("ERR_SESSION_STORE", "read-only");
    }
    if (fate === "lost") await super.commit(key, change);
    if (fate === "late") this.late.push(delay(20).then(() => super.commit(key, change)));
    throw new Error("socket closed");
  }
}

/** One browser that two processes serve. */
export function browsersOf(store: RemoteStore): [Browser, Browser] {
  const secretKey = "a secret of more than thirty-two bytes";
  const process = (): Browser => new Browser(createSessions({ secretKey, store, logLevel: "silent" }));
  return [process(), process()];
}

export async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

function delay(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
