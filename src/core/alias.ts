/** Where an id leads that a rotation of `rotateEvery` retired. */
import { MOST_HOPS } from "./alias-limit.ts";
import { chain } from "./awaitable.ts";
import { type Found, loadRecord } from "./load-record.ts";
import { openSuccessor } from "./sealed-id.ts";
import type { SessionConfig } from "./session-config.ts";
import type { Alias, Key } from "./session-record.ts";
import type { Awaitable, EpochMilliseconds } from "./units.ts";

/** What the aliases from an id on lead to. */
export interface Trail {
  readonly id: string;
  readonly key: Key;
  /** Never an alias that is in force, but at the end of too long a trail. */
  readonly found: Found;
  /** A request that brings the old id now brings it too late: one of the aliases was meant for earlier ones. */
  readonly late: boolean;
}

/** Follows an alias, and those behind it, a load each. `null` where one was not sealed under the id before it. */
export function followAlias(
  config: SessionConfig,
  id: string,
  { sealedId }: Alias,
  now: EpochMilliseconds,
  late: boolean = false,
  hops: number = 1,
): Awaitable<Trail | null> {
  const next = openSuccessor(id, sealedId);
  if (next === null) return null;
  const key = config.keyOf(next.id);
  const tooLate = late || next.until <= now;
  return chain(loadRecord(config, key, now), (found): Awaitable<Trail | null> =>
    found?.kind === "alias" && found.expiresAt > now && hops < MOST_HOPS
      ? followAlias(config, next.id, found, now, tooLate, hops + 1)
      : { id: next.id, key, found, late: tooLate },
  );
}
