/** Between a field's text and its value. */
import type { Codec } from "./codec.ts";
import { FastSessionError } from "./errors.ts";
import type { FieldTexts } from "./field-texts.ts";
import { COMPUTED, type Entry, isUnseen, type RecorderHost, type Step } from "./recorded-field.ts";
import { untold } from "./refusals.ts";

/**
 * What a stored text stands for; `undefined` where there is none, its schema refuses it, or it gives the record up.
 *
 * @throws FastSessionError `ERR_SESSION_UNAVAILABLE` where a newer version wrote it
 */
export function decodeField(host: RecorderHost, texts: FieldTexts, field: string, stored: string | null): unknown {
  if (stored === null) return undefined;
  const { admit, codec } = host.config;
  let value: unknown;
  try {
    const text = texts.open(field, stored);
    if (text === null) throw new SyntaxError("a stored text does not open");
    value = codec.decode(text);
  } catch (error) {
    if (error instanceof FastSessionError && error.code === "ERR_SESSION_UNAVAILABLE") throw host.newer(field);
    host.corrupt(field);
    return undefined;
  }
  return admit === null ? value : admit(field, value, "store");
}

/** The text of a value, as its schema wants it. */
export function encodeField({ admit, codec }: RecorderHost["config"], field: string, value: unknown): string {
  return codec.encode(admit === null ? value : admit(field, value, "handler"), field);
}

/** Whether the store has an entry's value. */
export function isStored(host: RecorderHost, texts: FieldTexts, field: string, { text, value }: Entry): boolean {
  return texts.holds(field, text, encodeField(host.config, field, value));
}

/** The value after a step. An object is checked by whoever writes it, unless a schema comes first. */
export function applyStep(
  { admit, codec }: RecorderHost["config"],
  field: string,
  current: unknown,
  step: Step,
): unknown {
  const value = step.run(current, false);
  if (value === undefined) return undefined;
  if (admit !== null || typeof value !== "object") codec.check(value, field);
  return admit === null ? value : admit(field, value, "handler");
}

/** The value after a step of an entry that is not looked at any more: but for what is added, the commit will. */
export function applyUnseen({ codec }: RecorderHost["config"], field: string, entry: Entry, step: Step): unknown {
  // Where it is in the whole, the whole says.
  if (step.adds !== null && !isStorable(codec, field, step.adds)) codec.check(step.run(entry.value, false), field);
  const value = step.run(entry.value, entry.own);
  if (value !== undefined && typeof value !== "object") codec.check(value, field);
  return value;
}

/** The value after all of an entry's steps, from a stored text on. */
export function replay(
  host: RecorderHost,
  texts: FieldTexts,
  field: string,
  text: string | null,
  entry: Entry,
): unknown {
  const admit = isUnseen(entry) ? null : host.config.admit;
  let value = decodeField(host, texts, field, text);
  // What a schema answered may be anybody's.
  let own = host.config.admit === null;
  for (const step of entry.steps) {
    value = step.run(value, own);
    own = step.adds !== null && admit === null;
    if (admit !== null && value !== undefined) value = admit(field, value, "handler");
  }
  return value;
}

/**
 * Before steps are applied again: that nothing else made the value, as far as they make the same of the same once more.
 *
 * @throws FastSessionError `ERR_SESSION_CONFLICT` where it was changed in place, too
 */
export function proveSteps(host: RecorderHost, texts: FieldTexts, field: string, entry: Entry | undefined): void {
  if (entry?.kind !== COMPUTED || !isUnseen(entry) || entry.stepped !== null) return;
  const text = (value: unknown): string | null => (value === undefined ? null : encodeField(host.config, field, value));
  if (text(replay(host, texts, field, entry.text, entry)) !== text(entry.value)) throw untold(field);
}

function isStorable(codec: Codec, field: string, values: readonly unknown[]): boolean {
  try {
    codec.check(values, field);
    return true;
  } catch {
    return false;
  }
}
