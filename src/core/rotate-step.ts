import { isPromise } from "./awaitable.ts";
import { changeOf } from "./commit-fold.ts";
import { commit } from "./commit-step.ts";
import { resolveConflict } from "./conflict.ts";
import { removedWithTokens } from "./csrf-token.ts";
import { deadline } from "./lifetime.ts";
import { goOn } from "./moved.ts";
import { bindingOf, evicted, gone, nextAttempt, rejection, type Task } from "./outcomes.ts";
import { sealSuccessor } from "./sealed-id.ts";
import { sendStep } from "./send-step.ts";
import { newOperation, shortHash, tagOf, userTag } from "./session-id.ts";
import type { Leave } from "./session-record.ts";
import { guardSize } from "./session-size.ts";
import type { RotateChange } from "./session-store.ts";
import type { Awaitable } from "./units.ts";

/**
 * The rotation of `rotateEvery`, in place of the response's commit. Where there is nothing to save, it is as a renewal:
 * one that fails fails no response, and the id is changed at the next one.
 */
export function rotateInUse(task: Task): Awaitable<void> {
  if (task.recorded !== null) return rotate(task);
  const failed = (): void => {
    task.state.unsettled = null;
    task.state.config.log.warn("a session could not be given a new id; it keeps the one it has");
  };
  try {
    const done = rotate(task);
    return isPromise(done) ? done.catch(failed) : done;
  } catch {
    return failed();
  }
}

/**
 * Moves the record to a new id, as it stands in the store at that moment, with this request's change and perhaps a
 * login. The old id is dead at once and stays known for a while, so that a request in flight with it does not begin a
 * session whose cookie would replace the new one (expressjs/session#923). That of `rotateEvery` leaves an alias.
 */
export function rotate(task: Task): Awaitable<void> {
  const { state, recorded, now, bind, periodic, attempt } = task;
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
  const data =
    recorded === null ? { operation: newOperation(), now, fence: state.lease?.fence } : changeOf(task, recorded);
  const use = { ...data, lastUsedAt: now, expiresAt };
  // What a login or a `regenerate` carries is not compared: it wins.
  const change: RotateChange = periodic
    ? use
    : { ...use, expect: recorded?.computed ?? undefined, remove: removedWithTokens(state, use), createdAt };
  const until = now + config.rotationGrace;
  // Known for longer than it is followed: who brings it then is told of as `reuse`.
  const leave: Leave = periodic
    ? {
        kind: "alias",
        to: newKey,
        sealedId: sealSuccessor(oldId, { id: newId, until }),
        expiresAt: until + config.rotateEvery,
      }
    : { kind: "tombstone", reason: "rotated", expiresAt: until };
  return sendStep(
    task,
    "rotate",
    () => config.store.rotate(oldKey, newKey, change, { leave, bind }),
    (answer) => {
      if (answer.ok) {
        state.id = newId;
        state.key = newKey;
        state.createdAt = createdAt;
        state.lastUsedAt = state.rotatedAt = now;
        state.expiresAt = periodic ? Math.max(state.expiresAt, expiresAt) : expiresAt;
        state.cookie = "send";
        if (bind !== undefined) state.binding = bind === null ? null : bindingOf(bind, now);
        state.recorder?.settle(recorded);
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
        case "moved":
          // Of rotations at once one is enough: the others save what they have under its id.
          if (!periodic) return goOn(task, answer, rotate);
          return goOn(task, answer, (next) => (recorded === null ? undefined : commit(next)));
        default:
          if (!periodic || recorded !== null) return gone(state);
          state.cookie = "keep";
          return undefined;
      }
    },
  );
}
