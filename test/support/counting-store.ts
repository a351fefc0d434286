import type { SessionStore } from "../../src/core/session-store.ts";

/** Which verbs were called, in order. */
export interface Calls {
  readonly verbs: string[];
  take(): string[];
}

/** The same store, whose calls are counted. */
export function counting<S extends SessionStore>(store: S): { store: S; calls: Calls } {
  const verbs: string[] = [];
  const counted = new Proxy(store, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== "function") return value;
      return (...args: unknown[]): unknown => {
        verbs.push(String(name));
        return (value as (...all: unknown[]) => unknown).apply(target, args);
      };
    },
  });
  return { store: counted, calls: { verbs, take: () => verbs.splice(0) } };
}
