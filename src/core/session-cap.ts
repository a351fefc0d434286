import { isWhole } from "./check-option.ts";
import type { CapPolicy } from "./session-store.ts";

/** How many sessions a user may have at once, and what a login beyond does. */
export interface SessionCap {
  readonly max: number;
  readonly policy: CapPolicy;
}

const POLICIES: readonly CapPolicy[] = ["evict-oldest", "evict-idle", "reject"];

/** Completes the option `maxSessionsPerUser`. @throws TypeError with the remedy */
export function capOf(option: number | SessionCap): SessionCap {
  const cap = typeof option === "number" ? { max: option, policy: "evict-oldest" as const } : option;
  const { max, policy }: Partial<SessionCap> = cap ?? {};
  if (!isWhole(max) || max < 1 || policy === undefined || !POLICIES.includes(policy)) {
    throw new TypeError(
      'maxSessionsPerUser is a whole number from 1, or { max, policy: "evict-oldest" | "evict-idle" | "reject" }',
    );
  }
  return { max, policy };
}
