import { FastSessionError } from "./errors.ts";
import type { FieldTexts, SealedRecord } from "./field-texts.ts";
import type { SessionConfig } from "./session-config.ts";
import type { Fields } from "./session-record.ts";

/** One step of `increment`, `append` or `update`. */
export interface Step {
  /** From a field's value to its next one. Pure: it may run again. `own`: a list that may grow where it is. */
  run(current: unknown, own: boolean): unknown;
  /** What it adds to a list that is there already; `null`: it may change anything. */
  readonly adds: readonly unknown[] | null;
}

/** What the recorder needs of its surroundings. */
export interface RecorderHost extends SealedRecord {
  readonly config: Pick<SessionConfig, "admit" | "codec" | "encryption">;
  /** A stored text that cannot be decoded: the record is given up. */
  corrupt(field: string): void;
  /** A stored text that a newer version wrote: it is left as it is. Answers what whoever asked for it is told. */
  newer(field: string): FastSessionError;
}

/** What a request did, ready to be sent. */
export interface Recorded {
  readonly clear: boolean;
  /** How often the request had cleared by then. */
  readonly clears: number;
  readonly set: Record<string, string>;
  readonly remove: string[];
  /** Fields whose new text was computed from the old one: they must still be as read. */
  readonly computed: Record<string, string | null> | null;
  /** Fields that were plainly assigned, with the text this request saw. */
  readonly assigned: Record<string, string | null> | null;
}

/** Handed out as an object, so that it may have been changed in place. */
export const READ = 0;
export const ASSIGNED = 1;
export const REMOVED = 2;
/** Changed by steps only, which are applied again when another request was first. */
export const COMPUTED = 3;

/** What a request read of one field, and what it did to it. */
export interface Entry {
  kind: typeof READ | typeof ASSIGNED | typeof REMOVED | typeof COMPUTED;
  value: unknown;
  /** The stored text that the value was read from, or the newer one that a conflict showed; `null`: absent. */
  text: string | null;
  steps: Step[];
  /** How many of the steps the commit under way carries. */
  sent: number;
  /** The text after the last step, or of what was sent, by which a later change in place is noticed. `null`: none was made. */
  stepped: string | null;
  /** How many characters were written to compare with since it was read or saved. */
  looked: number;
  /** A list that nobody has but those who appended to it. */
  own: boolean;
  /** The call under way replaces the field, and only `steps` have followed since. */
  carried: boolean;
}

/**
 * After that many characters a field's steps are taken unseen until it is saved, or a request that takes thousands would
 * walk thousands of times through all there is. What is in there is looked at by the commit, and changes in place where
 * they make a difference: in a conflict.
 */
const MOST_LOOKED = 262_144;

/** Whether steps are taken unseen by now. */
export function isUnseen(entry: Entry): boolean {
  return entry.looked > MOST_LOOKED;
}

export const NO_STEPS: Step[] = [];
Object.freeze(NO_STEPS);

export function newEntry(kind: Entry["kind"], value: unknown, text: string | null): Entry {
  return { kind, value, text, steps: NO_STEPS, sent: 0, stepped: null, looked: 0, own: false, carried: false };
}

/** Fields that lists of them do not show: one for each flash message. */
export const FLASH = "__flash__.";

/** Holds the secrets of form tokens: no field, whoever asks. */
export const CSRF_FIELD = "__csrf__";

/** A field's text; `null` where there is none. */
export function textOf(fields: Fields, field: string): string | null {
  const text: unknown = fields[field];
  // Inherited members of a plain object (`constructor`, …) are no strings: no own-property check is needed.
  return typeof text === "string" ? text : null;
}

/** Whether the stored value does not matter any more: assigned, removed, or changed in place. */
export function isReplaced(config: RecorderHost["config"], texts: FieldTexts, field: string, entry: Entry): boolean {
  return entry.kind === ASSIGNED || entry.kind === REMOVED || changedInPlace(config, texts, field, entry);
}

/**
 * Compared as text with what it was read from, and with what reading that text again gives: a store may have
 * normalised it, and a schema completed it.
 */
function changedInPlace(
  { admit, codec }: RecorderHost["config"],
  texts: FieldTexts,
  field: string,
  entry: Entry,
): boolean {
  if (typeof entry.value !== "object" || entry.value === null) return false;
  const before = entry.kind === COMPUTED ? entry.stepped : entry.text && texts.open(field, entry.text);
  if (before === null) return false;
  const now = codec.encode(entry.value, field);
  if (now === before) return false;
  const again = codec.decode(before);
  return now !== codec.encode(admit === null ? again : admit(field, again, "store"), field);
}

/** Whether what follows now can be applied again on top of what the call under way leaves. */
export function isCarried({ codec }: RecorderHost["config"], field: string, entry: Entry): boolean {
  if (!entry.carried || typeof entry.value !== "object" || entry.value === null) return entry.carried;
  if (isUnseen(entry) && entry.stepped === null) return true;
  return codec.encode(entry.value, field) === entry.stepped;
}

/** The names of fields that have a value, flash messages excepted. */
export function visible(base: Fields, entries: ReadonlyMap<string, Entry> | null): string[] {
  const names = new Set(Object.keys(base));
  for (const [field, entry] of entries ?? []) {
    if (entry.value === undefined) names.delete(field);
    else names.add(field);
  }
  return [...names].filter((field) => !field.startsWith(FLASH) && field !== CSRF_FIELD);
}

/** Names are strings of any kind, except those that would reach a prototype or, unless `own`, form tokens' secrets. */
export function checkField(field: unknown, own = false): asserts field is string {
  if (typeof field !== "string") throw new TypeError(`a field's name is a string, not ${typeof field}`);
  if (field !== "__proto__" && (own || field !== CSRF_FIELD)) return;
  throw new FastSessionError("ERR_SESSION_VALUE", `${field} cannot be a field of a session: use another name`, {
    path: field,
  });
}
