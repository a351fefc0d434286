import { MOST_HOPS } from "./alias-limit.ts";
import { gone, type Task } from "./outcomes.ts";
import { openSuccessor } from "./sealed-id.ts";
import type { Alias } from "./session-record.ts";
import type { Awaitable } from "./units.ts";

/**
 * Another request's `rotateEvery` moved the record under this one: goes on under its new id. However late, for this
 * request has brought the old id while it was alive.
 */
export function goOn(
  task: Task,
  { sealedId }: Pick<Alias, "sealedId">,
  again: (task: Task) => Awaitable<void>,
): Awaitable<void> {
  const { state, hops = 0 } = task;
  const next = openSuccessor(state.id as string, sealedId);
  if (next === null || hops === MOST_HOPS) return gone(state);
  state.moveTo(next.id, state.config.keyOf(next.id));
  // As far as this request knows: it rotates no more.
  state.rotatedAt = task.now;
  return again({ ...task, hops: hops + 1 });
}
