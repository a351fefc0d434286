import { retarget, stateOf } from "../core/handle-target.ts";
import { newSession } from "../core/lifecycle.ts";
import { handleFactory } from "../core/session-handle.ts";
import { type Methods, methods, renewId } from "../core/session-methods.ts";
import type { SessionState } from "../core/session-state.ts";
import type { DefaultData, ReservedName, Session, SessionMembers } from "../core/session-types.ts";

type Callback = (error?: unknown) => void;

/** The methods of express-session, with a callback. Without one they are ours, with a promise. */
export interface ExpressMembers<D> {
  save(callback: Callback): void;
  save(): Promise<void>;
  reload(callback: Callback): void;
  reload(): Promise<void>;
  destroy(callback: Callback): void;
  destroy(): Promise<void>;
  /** With a callback all data is dropped, as express-session does. */
  regenerate(callback: Callback): void;
  regenerate(options?: Parameters<SessionMembers<D>["regenerate"]>[0]): Promise<void>;
}

/** A session in Express: with the members that code written for express-session calls. */
export type ExpressSession<D = DefaultData> = Omit<D, ReservedName> &
  Omit<SessionMembers<D>, keyof ExpressMembers<D>> &
  ExpressMembers<D>;

/** Runs a member that answers a promise, for whoever passes a callback. */
function withCallback(run: (session: unknown) => Promise<unknown>) {
  return function (this: unknown, callback?: unknown): unknown {
    const done = run(this);
    if (typeof callback !== "function") return done;
    done.then(
      () => (callback as Callback)(),
      (error: unknown) => (callback as Callback)(error),
    );
    return this;
  };
}

/** One of our own methods, to be called on a session. */
function own(name: string): (session: unknown, argument?: unknown) => Promise<unknown> {
  const method = methods[name]?.value as (this: unknown, argument?: unknown) => Promise<unknown>;
  return (session, argument) => method.call(session, argument);
}

const regenerate = own("regenerate");
const regenerateWithCallback = withCallback(regenerateEmpty);

const replaced = new WeakMap<SessionState, (handle: ExpressSession) => void>();

const expressMembers: Methods = {
  save: { value: withCallback(own("saveSession")) },
  reload: { value: withCallback(own("reload")) },
  destroy: { value: withCallback(own("destroy")) },
  regenerate: {
    value(this: unknown, argument?: unknown): unknown {
      return typeof argument === "function" ? regenerateWithCallback.call(this, argument) : regenerate(this, argument);
    },
  },
};

const createWithMembers = handleFactory(expressMembers);

/**
 * A new id and no data, with a new session object on the request: Passport's `keepSessionInfo` copies from the object
 * it held before, which goes on showing what was there.
 */
async function regenerateEmpty(session: unknown): Promise<void> {
  const state = stateOf(session);
  const replace = replaced.get(state);
  const before = (session as Session).toJSON();
  await renewId(state, false);
  if (replace === undefined) return;
  retire(session, state, before);
  replace(createExpressHandle(state, replace));
}

/** Leaves a handle with a copy of its data, apart from the request's session. */
function retire(session: unknown, state: SessionState, data: Record<string, unknown>): void {
  const past = newSession(state.config, {
    present: () => ({ id: null, cause: "none" }),
    touched: () => undefined,
  });
  // It has no id, so nothing is asked of the store, which a remote one wants to be before the first access.
  void past.load();
  for (const [field, value] of Object.entries(data)) past.writable.set(field, value);
  retarget(session, past);
}

/** The handle for `req.session`. `replace` is called with the one that takes its place after a regeneration. */
export function createExpressHandle(state: SessionState, replace: (handle: ExpressSession) => void): ExpressSession {
  replaced.set(state, replace);
  return createWithMembers(state) as unknown as ExpressSession;
}
