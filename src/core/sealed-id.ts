import { deriveKey, keyBytes, openText, sealText } from "./crypto.ts";
import type { EpochMilliseconds } from "./units.ts";

/** The id that took another's place. */
export interface Successor {
  readonly id: string;
  /** Until when a request may bring the old id and go on. Inside the seal, so that nobody who writes to a store moves it. */
  readonly until: EpochMilliseconds;
}

const CONTEXT = "fastsession alias v1";

/** Seals a new id under the old one: only who holds the old id can read it, and only who holds it can have written it. */
export function sealSuccessor(oldId: string, { id, until }: Successor): string {
  return sealText(keyOf(oldId), CONTEXT, `${until} ${id}`);
}

/** Opens what `sealSuccessor` sealed; `null` for anything else. */
export function openSuccessor(oldId: string, sealed: string): Successor | null {
  const [until, id] = openText(keyOf(oldId), CONTEXT, sealed)?.split(" ") ?? [];
  return id === undefined ? null : { id, until: Number(until) };
}

/** An id has 122 random bits or more, so that nothing slower than HMAC is needed to derive a key from it. */
function keyOf(id: string): Uint8Array {
  return keyBytes(deriveKey(id, CONTEXT));
}
