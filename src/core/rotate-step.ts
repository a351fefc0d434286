import { resolveConflict } from "./conflict.ts";
import { deadline } from "./lifetime.ts";
import { bindingOf, evicted, gone, nextAttempt, rejection, type Task } from "./outcomes.ts";
import { sendStep } from "./send-step.ts";
import { newOperation, shortHash, tagOf, userTag } from "./session-id.ts";
import { guardSize } from "./session-size.ts";
import type { RotateChange } from "./session-store.ts";
import type { Awaitable } from "./units.ts";

/**
 * Moves the record to a new id, as it stands in the store at that moment, with this request's change and perhaps a
 * login. The old id is dead at once and stays known for a while, so that a request in flight with it does not begin a
 * session whose cookie would replace the new one (expressjs/session#923).
 */
export function rotate(task: Task): Awaitable<void> {
  const { state, recorded, now, bind, attempt } = task;
  const { config } = state;
  const oldId = state.id as string;
  const oldKey = state.key as string;
  const newId = config.ids.next(bind ? userTag(bind.userId) : tagOf(oldId));
  const newKey = config.keyOf(newId);
  // A login starts a new absolute period; a mere change of the id doesn't.
  const createdAt = bind ? now : state.createdAt;
  const maxAge = bind === undefined ? (state.binding?.maxAge ?? null) : (bind?.maxAge ?? null);
  const expiresAt = deadline(config.lifetime, createdAt, now, maxAge);
  if (recorded !== null) guardSize(state, recorded.set, recorded);
  const change: RotateChange = {
    operation: newOperation(),
    now,
    expect: recorded?.computed ?? undefined,
    clear: recorded?.clear,
    remove: recorded?.remove,
    set: recorded?.set,
    lastUsedAt: now,
    expiresAt,
    createdAt,
  };
  const leave = { kind: "tombstone", reason: "rotated", expiresAt: now + config.rotationGrace } as const;
  return sendStep(
    task,
    "rotate",
    () => config.store.rotate(oldKey, newKey, change, { leave, bind }),
    (answer) => {
      if (answer.ok) {
        state.id = newId;
        state.key = newKey;
        state.createdAt = createdAt;
        state.lastUsedAt = now;
        state.expiresAt = expiresAt;
        state.cookie = "send";
        if (bind !== undefined) state.binding = bind === null ? null : bindingOf(bind, now);
        if (recorded !== null) state.recorder?.settle(recorded);
        const userId = state.binding?.userId ?? null;
        config.events.emit("rotated", { session: shortHash(newId), previous: shortHash(oldId), userId });
        return evicted(state, answer.evicted.length);
      }
      switch (answer.reason) {
        case "rejected":
          throw rejection(answer);
        case "duplicate":
          return rotate({ ...task, attempt: nextAttempt(attempt) });
        case "conflict":
          return resolveConflict(state, recorded, answer.current, attempt, (next) => rotate({ ...task, ...next }));
        default:
          return gone(state);
      }
    },
  );
}
