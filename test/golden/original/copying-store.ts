import type { SimpleStore } from "../../../src/stores/simple-contract.ts";
import { MemoryStore } from "../../../src/stores/memory.ts";
import { brokenMethod, isOnMemory, type Transcript } from "./transcript.ts";

type Method = "has_session_id" | "create_store" | "get_store" | "save_store" | "gc";

/**
 * A custom store of an application, in the original's five methods. It hands out copies, as whatever is behind a
 * network does, and notes its calls.
 */
export class CopyingStore implements SimpleStore {
  readonly calls: Method[] = [];
  readonly records = new Map<string, string>();
  /** Whether `fragile` raises now. */
  broken = false;
  readonly #fragile: string | undefined;
  readonly #later: boolean;

  constructor(fragile: string | undefined, later: boolean) {
    this.#fragile = fragile;
    this.#later = later;
  }

  hasSessionId(id: string) {
    return this.#answer("has_session_id", () => this.records.has(id));
  }
  createStore(id: string) {
    return this.#answer("create_store", () => void this.records.set(id, "{}"));
  }
  getStore(id: string) {
    return this.#answer(
      "get_store",
      () => JSON.parse(this.records.get(id) ?? "null") as Record<string, unknown> | null,
    );
  }
  saveStore(id: string, data: Record<string, unknown>) {
    return this.#answer("save_store", () => void this.records.set(id, JSON.stringify(data)));
  }
  gc() {
    return this.#answer("gc", () => undefined);
  }

  #answer<T>(method: Method, act: () => T): T | Promise<T> {
    this.calls.push(method);
    if (this.broken && method === this.#fragile) throw new Error("store down");
    return this.#later ? Promise.resolve().then(act) : act();
  }
}

/** The store that a transcript names. */
export function storeFor(transcript: Transcript): MemoryStore | CopyingStore {
  if (isOnMemory(transcript)) return new MemoryStore();
  return new CopyingStore(brokenMethod(transcript), transcript.store.includes("async"));
}
