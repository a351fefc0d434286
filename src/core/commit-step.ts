import { chain } from "./awaitable.ts";
import { changeOf } from "./commit-fold.ts";
import { commitMerged } from "./commit-queue.ts";
import { resolveConflict } from "./conflict.ts";
import { goOn } from "./moved.ts";
import { gone, renewed, type Task } from "./outcomes.ts";
import type { Recorded } from "./recorded-field.ts";
import { guardSize } from "./session-size.ts";
import type { Gone, Moved } from "./session-store.ts";
import { callStore } from "./store-call.ts";
import type { Awaitable } from "./units.ts";

/** Sends what was recorded, field by field. */
export function commit(task: Task): Awaitable<void> {
  return task.state.config.store.capabilities.local ? commitAlone(task) : commitMerged(task, ended);
}

/** The record is not under that key any more. */
function ended(task: Task, answer: Gone | Moved): Awaitable<void> {
  return answer.reason === "moved" ? goOn(task, answer, commit) : gone(task.state);
}

/** A local store is asked at once: nothing could gather meanwhile. */
function commitAlone(task: Task): Awaitable<void> {
  const { state, attempt } = task;
  const { config } = state;
  const recorded = task.recorded as Recorded;
  guardSize(state, recorded.set, recorded);
  const change = changeOf(task, recorded);
  return chain(
    callStore(config, "commit", () => config.store.commit(state.key as string, change)),
    (answer) => {
      if (answer.ok) {
        state.recorder?.settle(recorded);
        if (change.expiresAt !== undefined) renewed(state, task.now, change.expiresAt);
        return undefined;
      }
      if (answer.reason !== "conflict") return ended(task, answer);
      return resolveConflict(state, recorded, answer.current, attempt, (next) =>
        next.recorded === null ? state.recorder?.settle(null) : commit({ ...task, ...next }),
      );
    },
  );
}
