/** What the lifecycle asks of the store, one function a step; see `commit-step.ts` and `rotate-step.ts`, too. */
import { chain, isPromise } from "./awaitable.ts";
import { deadline } from "./lifetime.ts";
import { bindingOf, evicted, nextAttempt, rejection, renewed, type Task } from "./outcomes.ts";
import { headersSent } from "./refusals.ts";
import { sendStep } from "./send-step.ts";
import { newHandle, newOperation, shortHash, userTag } from "./session-id.ts";
import { guardSize } from "./session-size.ts";
import type { SessionState } from "./session-state.ts";
import { callStore } from "./store-call.ts";
import type { Awaitable } from "./units.ts";

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
  const handle = newHandle();
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
      state.createdAt = state.lastUsedAt = now;
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
export function renew({ state, now }: Task): Awaitable<void> {
  const { config } = state;
  const key = state.key as string;
  const expiresAt = deadline(config.lifetime, state.createdAt, now, state.binding?.maxAge ?? null);
  const failed = (): void => config.log.warn("a session's renewal failed; it ends at its present deadline");
  const done = (alive: boolean): void => (alive ? renewed(state, now, expiresAt) : undefined);
  try {
    const answer = callStore(config, "renew", () => config.store.renew(key, { now, lastUsedAt: now, expiresAt }));
    return isPromise(answer) ? answer.then(done, failed) : done(answer);
  } catch {
    return failed();
  }
}

/** Ends the record. Its key stays known for a while, so that late requests know that they are late. */
export function destroy({ state, now }: Task): Awaitable<void> {
  const { config } = state;
  const key = state.key as string;
  const session = shortHash(state.id as string);
  const until = { now, tombstoneUntil: now + config.rotationGrace };
  return chain(
    callStore(config, "destroy", () => config.store.destroy(key, until)),
    () => config.events.emit("destroyed", { session }),
  );
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
