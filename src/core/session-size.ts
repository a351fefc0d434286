import { FastSessionError } from "./errors.ts";
import type { Recorded } from "./recorded-field.ts";
import type { SessionState } from "./session-state.ts";
import { utf8Length } from "./text-size.ts";

/** Refuses a record over `maxSessionBytes`, as far as this request knows what it holds. */
export function guardSize(state: SessionState, set: Readonly<Record<string, string>>, recorded: Recorded | null): void {
  const limit = state.config.maxSessionBytes;
  const kept = recorded === null || recorded.clear ? {} : (state.recorder?.base ?? {});
  // At most this: what is overwritten counts twice, what is removed still counts, and three bytes for each character.
  let size = 0;
  for (const field of Object.keys(set)) size += field.length + (set[field] as string).length;
  for (const field of Object.keys(kept)) size += field.length + (kept[field] as string).length;
  if (size * 3 <= limit) return;
  size = 0;
  const left: Record<string, string> = { ...kept };
  for (const field of recorded?.remove ?? []) delete left[field];
  for (const [field, text] of Object.entries({ ...left, ...set })) size += utf8Length(field) + utf8Length(text);
  if (size <= limit) return;
  throw new FastSessionError(
    "ERR_SESSION_TOO_LARGE",
    `the session would have ${size} bytes, more than maxSessionBytes (${limit}): keep large things elsewhere and their name here`,
  );
}
