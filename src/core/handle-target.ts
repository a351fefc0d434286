import type { Recorder } from "./recorder.ts";
import type { SessionState } from "./session-state.ts";

/** Where a handle keeps its state. */
export const STATE: unique symbol = Symbol("fastsession.state");

const INSPECT = Symbol.for("nodejs.util.inspect.custom");

/** What a handle's Proxy stands before. Its field is private so that `console.dir`, which asks no object how, finds nothing. */
export class HandleTarget {
  #state: SessionState;

  constructor(state: SessionState) {
    this.#state = state;
  }

  get state(): SessionState {
    return this.#state;
  }
  set state(state: SessionState) {
    this.#state = state;
  }
}

/** `console.log` looks past all traps: what it may show is names, never values, the id or the state behind. */
function inspect(state: SessionState | undefined): string {
  if (state === undefined || state.recorder === null) return `Session (${state?.phase ?? "none"})`;
  return `Session { ${state.recorder.fields().join(", ")} }`;
}

Object.defineProperties(HandleTarget.prototype, {
  [STATE]: {
    get(this: HandleTarget): SessionState {
      return this.state;
    },
  },
  // Called on the Proxy, or on the target where proxies are shown as they are: both answer `STATE`.
  [INSPECT]: {
    value(this: { [STATE]?: SessionState }): string {
      return inspect(this[STATE]);
    },
  },
});

const TARGET = Symbol("fastsession.target");

/** Puts another state behind a handle that somebody still holds. */
export function retarget(handle: unknown, state: SessionState): void {
  (handle as { [TARGET]: HandleTarget })[TARGET].state = state;
}

/** The state behind a handle. */
export function stateOf(handle: unknown): SessionState {
  const state = (handle as { [STATE]?: SessionState } | null | undefined)?.[STATE];
  if (state === undefined) throw new TypeError("call it on the session: session.get(…), not a detached get(…)");
  return state;
}

/** Whether something is a session's handle. */
export function isHandle(value: unknown): boolean {
  return (value as { [STATE]?: SessionState } | null | undefined)?.[STATE] !== undefined;
}

export function symbolMember(target: HandleTarget, name: symbol): unknown {
  if (name === STATE) return target.state;
  if (name === TARGET) return target;
  if (name === INSPECT) return () => inspect(target.state);
  if (name === Symbol.toPrimitive) return () => "[object Session]";
  return name === Symbol.toStringTag ? "Session" : undefined;
}

export function fieldDescriptor(data: Recorder, name: string): PropertyDescriptor | undefined {
  if (!data.has(name)) return undefined;
  // Configurable, because the target does not have it: an invariant of proxies.
  return { value: data.get(name), writable: true, enumerable: true, configurable: true };
}

export function refuseSymbol(): never {
  throw new TypeError("a session's fields have names, not symbols");
}

export function refuseShape(): never {
  throw new TypeError("a session takes assignments only: write session.name = value, or copy it with { ...session }");
}
