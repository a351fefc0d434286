import { type FieldTexts, fieldTexts } from "./field-texts.ts";
import { applyStep, applyUnseen, decodeField, encodeField, isStored, proveSteps, replay } from "./field-values.ts";
import {
  ASSIGNED,
  checkField,
  COMPUTED,
  CSRF_FIELD,
  type Entry,
  isCarried,
  isReplaced,
  isUnseen,
  newEntry,
  NO_STEPS,
  READ,
  type Recorded,
  type RecorderHost,
  REMOVED,
  type Step,
  textOf,
  visible,
} from "./recorded-field.ts";
import type { Fields } from "./session-record.ts";

/**
 * What one request read of a session's data and what it did to it. Fields are decoded one by one, when touched. Nothing
 * is cloned, and nothing compared until the commit, which looks only at what was written or handed out as an object.
 */
export class Recorder {
  base: Fields;
  readonly #host: RecorderHost;
  readonly #texts: FieldTexts;
  #entries: Map<string, Entry> | null = null;
  #cleared = false;
  #clears = 0;
  /** How often it had been cleared when the last call was made. */
  #clearsSent = 0;

  constructor(host: RecorderHost, base: Fields) {
    this.#host = host;
    this.#texts = fieldTexts(host.config.encryption, host);
    this.base = base;
  }

  /** @param own whether the library asks for what is its own, here and in what follows */
  get(field: string, own = false): unknown {
    if (field === CSRF_FIELD && !own) return undefined;
    const entry = this.#entries?.get(field);
    if (entry !== undefined) {
      entry.own = false;
      return entry.value;
    }
    if (this.#cleared) return undefined;
    const text = textOf(this.base, field);
    if (text === null) return undefined;
    const value = decodeField(this.#host, this.#texts, field, text);
    // A primitive leaves no trace: it is parsed again when read again, and cannot change in place.
    if (typeof value === "object" && value !== null) this.#put(field, READ, value, text);
    return value;
  }

  has(field: string, own = false): boolean {
    if (field === CSRF_FIELD && !own) return false;
    const entry = this.#entries?.get(field);
    if (entry !== undefined) return entry.value !== undefined;
    if (this.#cleared || textOf(this.base, field) === null) return false;
    // A stored value that its schema refuses reads as absent.
    return this.#host.config.admit === null || this.get(field, own) !== undefined;
  }

  /** All field names, flash messages excepted. */
  fields(): string[] {
    return visible(this.#cleared ? {} : this.base, this.#entries);
  }

  /** Assigning `undefined` deletes: it is what reading an absent field gives. */
  set(field: string, value: unknown, own = false): void {
    checkField(field, own);
    if (value === undefined) return void this.delete(field);
    this.#host.config.codec.check(value, field);
    const admitted = this.#host.config.admit === null ? value : this.#host.config.admit(field, value, "handler");
    const entry = this.#entries?.get(field);
    if (entry === undefined) {
      this.#put(field, ASSIGNED, admitted, this.#cleared ? null : textOf(this.base, field));
    } else {
      entry.kind = ASSIGNED;
      entry.value = admitted;
      entry.own = false;
      entry.steps = NO_STEPS;
      entry.carried = false;
    }
  }

  delete(field: string, own = false): boolean {
    checkField(field, own);
    const had = this.has(field, own);
    // Of an absent field, too: what is computed from it later in this request begins anew.
    const entry = this.#entries?.get(field) ?? this.#put(field, REMOVED, undefined, textOf(this.base, field));
    entry.kind = REMOVED;
    entry.value = undefined;
    entry.steps = NO_STEPS;
    entry.carried = false;
    return had;
  }

  clear(): void {
    this.#cleared = true;
    this.#clears++;
    this.#entries = null;
  }

  /** Applies a step now, and again at the commit should another request have been first. One that throws did nothing. */
  compute(field: string, step: Step, own = false): unknown {
    checkField(field, own);
    const found = this.#entries?.get(field);
    const text = this.#cleared ? null : textOf(this.base, field);
    const current = found === undefined ? decodeField(this.#host, this.#texts, field, text) : found.value;
    const { config } = this.#host;
    // Asked before the step, which may change the value in place.
    const folds = this.#cleared || (found !== undefined && isReplaced(config, this.#texts, field, found));
    const carried =
      folds && (found === undefined ? this.#clearsSent === this.#clears : isCarried(config, field, found));
    const unseen = found !== undefined && isUnseen(found);
    const value = unseen ? applyUnseen(config, field, found, step) : applyStep(config, field, current, step);
    const stepped = unseen || typeof value !== "object" ? null : config.codec.encode(value, field);
    const entry = found ?? this.#put(field, COMPUTED, value, text);
    // After an assignment, a deletion or a clear nothing is expected: the step folds in, and is kept while that is sent.
    entry.kind = !folds ? COMPUTED : value === undefined ? REMOVED : ASSIGNED;
    if (folds && !carried) entry.steps = NO_STEPS;
    else if (entry.steps === NO_STEPS) entry.steps = [step];
    else entry.steps.push(step);
    entry.carried = carried;
    entry.value = value;
    entry.own = unseen && step.adds !== null;
    entry.stepped = stepped;
    if (stepped !== null) entry.looked += stepped.length;
    return value;
  }

  /** What is to be sent; `null` when nothing changed. */
  collect(): Recorded | null {
    this.#texts.begin();
    this.#clearsSent = this.#clears;
    if (this.#entries === null && !this.#cleared) return null;
    const set: Record<string, string> = {};
    const remove: string[] = [];
    let computed: Record<string, string | null> | null = null;
    let assigned: Record<string, string | null> | null = null;
    let changed = this.#cleared;
    for (const [field, entry] of this.#entries ?? []) {
      entry.carried = isReplaced(this.#host.config, this.#texts, field, entry);
      if (entry.carried) {
        if (entry.kind !== REMOVED) entry.kind = ASSIGNED;
        entry.steps = NO_STEPS;
      } else if (entry.kind === READ) {
        continue;
      }
      entry.sent = entry.steps.length;
      if (entry.kind === COMPUTED) {
        if (entry.value === undefined) {
          if (entry.text === null) continue;
          remove.push(field);
        } else {
          const text = encodeField(this.#host.config, field, entry.value);
          if (this.#texts.holds(field, entry.text, text)) continue;
          set[field] = this.#texts.seal(field, text);
        }
        computed ??= {};
        computed[field] = entry.text;
      } else if (entry.kind === ASSIGNED) {
        const text = (entry.stepped = encodeField(this.#host.config, field, entry.value));
        if (!this.#cleared && this.#texts.holds(field, entry.text, text)) continue;
        set[field] = this.#texts.seal(field, text);
        if (!this.#cleared) {
          assigned ??= {};
          assigned[field] = entry.text;
        }
      } else {
        if (this.#cleared || entry.text === null) continue;
        remove.push(field);
      }
      changed = true;
    }
    return changed ? { clear: this.#cleared, clears: this.#clears, set, remove, computed, assigned } : null;
  }

  /** Takes over the current texts of fields where another request was first. Answers which were plainly assigned. */
  rebase(current: Readonly<Record<string, string | null>>): { overwritten: string[]; recomputed: string[] } {
    for (const field of Object.keys(current)) proveSteps(this.#host, this.#texts, field, this.#entries?.get(field));
    const overwritten: string[] = [];
    const recomputed: string[] = [];
    const base: Record<string, string> = { ...this.base };
    this.base = base;
    for (const [field, text] of Object.entries(current)) {
      if (text === null) delete base[field];
      else base[field] = text;
      const entry = this.#entries?.get(field);
      if (entry === undefined) continue;
      entry.text = text;
      (entry.kind === COMPUTED ? recomputed : overwritten).push(field);
      if (entry.kind !== COMPUTED) continue;
      const value = replay(this.#host, this.#texts, field, text, entry);
      entry.value = value;
      entry.own = false;
      entry.stepped = typeof value === "object" && value !== null ? this.#host.config.codec.encode(value, field) : null;
    }
    return { overwritten, recomputed };
  }

  /** What was sent, or came to nothing (`null`), is now what is stored. What was recorded meanwhile stays recorded. */
  settle(sent: Recorded | null): void {
    if (sent !== null) {
      const base: Record<string, string> = sent.clear ? { ...sent.set } : { ...this.base, ...sent.set };
      for (const field of sent.remove) delete base[field];
      this.base = base;
      if (this.#clears === sent.clears) this.#cleared = false;
    }
    if (this.#entries === null) return;
    for (const [field, entry] of this.#entries) {
      entry.text = this.#cleared ? null : textOf(this.base, field);
      const isObject = typeof entry.value === "object" && entry.value !== null;
      if (entry.carried && entry.steps.length > 0) entry.kind = COMPUTED;
      if (entry.kind === COMPUTED) {
        entry.steps = entry.steps.slice(entry.sent);
        entry.sent = 0;
        if (entry.steps.length > 0) continue;
      } else if (entry.kind === REMOVED) {
        if (entry.text !== null) continue;
      } else if (entry.kind === ASSIGNED) {
        // Objects are compared at the next commit; what was not assigned since is what was sent.
        if (entry.text === null) continue;
        if (!isObject && !entry.carried && !isStored(this.#host, this.#texts, field, entry)) continue;
      }
      // Objects that were handed out stay watched; everything else is read from the text again.
      if (isObject && entry.text !== null) {
        entry.kind = READ;
        entry.looked = 0;
        entry.own = false;
      } else this.#entries.delete(field);
    }
    if (this.#entries.size === 0) this.#entries = null;
  }

  /** Forgets everything that was recorded and handed out. */
  reset(base: Fields): void {
    this.base = base;
    this.#cleared = false;
    this.#entries = null;
  }

  #put(field: string, kind: Entry["kind"], value: unknown, text: string | null): Entry {
    const entry = newEntry(kind, value, text);
    (this.#entries ??= new Map()).set(field, entry);
    return entry;
  }
}
