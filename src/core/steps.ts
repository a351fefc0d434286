/** What the lifecycle asks of the store, one function a step; see `commit-step.ts` and `rotate-step.ts`, too. */
import { followAlias } from "./alias.ts";
import { chain, isPromise } from "./awaitable.ts";
import { deadline } from "./lifetime.ts";
import { type Found, loadRecord } from "./load-record.ts";
import { goOn } from "./moved.ts";
import { bindingOf, evicted, nextAttempt, rejection, renewed, type Task } from "./outcomes.ts";
import { headersSent } from "./refusals.ts";
import { sendStep } from "./send-step.ts";
import { newHandle, newOperation, shortHash, userTag } from "./session-id.ts";
import { guardSize } from "./session-size.ts";
import type { Key } from "./session-record.ts";
import type { SessionState } from "./session-state.ts";
import type { SessionStore } from "./session-store.ts";
import { callStore } from "./store-call.ts";
import type { Awaitable, EpochMilliseconds } from "./units.ts";

type Ending = Parameters<SessionStore["destroy"]>[1];

/** Makes the record, under a new id that nobody has. */
export function create(task: Task): Awaitable<void> {
  const { state, recorded, now, attempt } = task;
  const bind = task.bind ?? undefined;
  const { config } = state;
  if (state.frozen) throw headersSent("a new session");
  // Ids that the session was asked for before are kept; a login's carries its user's tag.
  const reserved = bind === undefined && attempt.count === 1 ? state.reservedId : null;
  const id = reserved ?? config.ids.next(bind && userTag(bind.userId));
  const key = config.keyOf(id);
  // Encrypted fields are bound to one already.
  const handle = state.handle === "" ? newHandle() : state.handle;
  const fields = recorded?.set ?? {};
  const expiresAt = deadline(config.lifetime, now, now, bind?.maxAge ?? null);
  guardSize(state, fields, null);
  const record = { key, fields, createdAt: now, lastUsedAt: now, expiresAt, handle };
  const options = { operation: newOperation(), now, bind };
  return sendStep(
    task,
    "create",
    () => config.store.create(record, options),
    (answer) => {
      if (!answer.ok) {
        if (answer.reason === "rejected") throw rejection(answer);
        return create({ ...task, attempt: nextAttempt(attempt) });
      }
      state.id = id;
      state.key = key;
      state.handle = handle;
      state.createdAt = state.lastUsedAt = state.rotatedAt = now;
      state.expiresAt = expiresAt;
      state.saved = true;
      state.cookie = "send";
      if (state.cause === "none") state.cause = "new";
      if (bind !== undefined) state.binding = bindingOf(bind, now);
      if (recorded !== null) state.recorder?.settle(recorded);
      config.created();
      if (config.events.heard("created")) config.events.emit("created", { session: shortHash(id) });
      evicted(state, answer.evicted.length);
    },
  );
}

/** Records a use. One that fails fails no response: the session lives on until its deadline. */
export function renew(task: Task): Awaitable<void> {
  const { state, now } = task;
  const { config } = state;
  const key = state.key as string;
  const expiresAt = deadline(config.lifetime, state.createdAt, now, state.binding?.maxAge ?? null);
  const failed = (): void => config.log.warn("a session's renewal failed; it ends at its present deadline");
  const done = (alive: boolean): Awaitable<void> => {
    if (alive) return renewed(state, now, expiresAt);
    state.cookie = "keep";
    // Only a rotation leaves something to go on with.
    return config.rotateEvery === Infinity ? undefined : renewMoved(task);
  };
  try {
    const answer = callStore(config, "renew", () => config.store.renew(key, { now, lastUsedAt: now, expiresAt }));
    return isPromise(answer) ? answer.then(done).catch(failed) : done(answer);
  } catch {
    return failed();
  }
}

function renewMoved(task: Task): Awaitable<void> {
  const { state, now } = task;
  return chain(look(state, now), (found) => (found?.kind === "alias" ? goOn(task, found, renew) : undefined));
}

/** What stands under the session's key, if it is in force. */
function look({ config, key }: SessionState, now: EpochMilliseconds): Awaitable<Found> {
  return chain(loadRecord(config, key as string, now), (found) =>
    found !== null && found.expiresAt > now ? found : null,
  );
}

/** The same, with aliases followed. */
function lookBehind(state: SessionState, now: EpochMilliseconds): Awaitable<Found> {
  return chain(look(state, now), (found) =>
    found?.kind === "alias"
      ? chain(followAlias(state.config, state.id as string, found, now), (trail) => trail?.found ?? null)
      : found,
  );
}

/** Ends the record. Its key stays known for a while, so that late requests know that they are late. */
export function destroy({ state, now }: Task): Awaitable<void> {
  const { config } = state;
  const key = state.key as string;
  const session = shortHash(state.id as string);
  const until = { now, tombstoneUntil: now + config.rotationGrace };
  return chain(
    callStore(config, "destroy", () => config.store.destroy(key, until)),
    (ended) => {
      if (ended) return config.events.emit("destroyed", { session });
      return chain(lookBehind(state, now), (found): Awaitable<void> => {
        // A login in another tab was first. Its session lives on, and its cookie is not to be expired.
        if (found?.kind === "tombstone" && found.reason === "rotated") return state.becomeMoved();
        if (found !== null || state.expiresAt <= now) return config.events.emit("destroyed", { session });
        // So late that nothing says any more whether it ended or moved.
        return chain(destroyNamed(state, until), (key) =>
          key === null ? state.becomeMoved() : config.events.emit("destroyed", { session }),
        );
      });
    },
  );
}

/** An alias is forgotten after `rotateEvery`, and a socket may be older: its user's session still has its handle. */
function destroyNamed({ config, binding, handle }: SessionState, until: Ending): Awaitable<Key | null> {
  const { rotateEvery, store } = config;
  if (rotateEvery === Infinity || binding === null || store.revokeHandle === undefined) return null;
  return callStore(config, "revokeHandle", () => store.revokeHandle?.(handle, until) ?? null);
}

/** Ends a record that could not be read, so that it is one session's end and not an error on each of its requests. */
export function endUnreadable(state: SessionState): Awaitable<void> {
  const { config } = state;
  const key = state.unreadable as string;
  const now = config.now();
  state.unreadable = null;
  return chain(
    callStore(config, "destroy", () => config.store.destroy(key, { now, tombstoneUntil: now })),
    () => undefined,
  );
}
