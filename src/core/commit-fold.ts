/** How what several requests did to one session becomes one change. */
import { rebase } from "./conflict.ts";
import { extension, type Task } from "./outcomes.ts";
import type { Recorded } from "./recorded-field.ts";
import { newOperation } from "./session-id.ts";
import { guardSize } from "./session-size.ts";
import type { Change } from "./session-store.ts";
import type { EpochMilliseconds } from "./units.ts";

type Texts = Readonly<Record<string, string | null>>;

/** Fields' texts, as far as is known here. */
export class KnownTexts {
  readonly #texts = new Map<string, string | null>();
  #cleared = false;

  /** `null`: absent; `undefined`: not known. */
  of(field: string): string | null | undefined {
    const text = this.#texts.get(field);
    return text === undefined && this.#cleared ? null : text;
  }

  /** Takes over what a change leaves. */
  apply({ clear, remove, set }: Pick<Change, "clear" | "remove" | "set">): void {
    if (clear === true) {
      this.#cleared = true;
      this.#texts.clear();
    }
    for (const field of remove ?? []) this.#texts.set(field, null);
    this.learn(set ?? {});
  }

  learn(texts: Texts): void {
    for (const field of Object.keys(texts)) this.#texts.set(field, texts[field] as string | null);
  }

  /** As a change that brings any record there. */
  toChange(): { readonly clear: boolean; readonly remove: string[]; readonly set: Record<string, string> } {
    const texts = [...this.#texts];
    return {
      clear: this.#cleared,
      remove: this.#cleared ? [] : texts.filter(([, text]) => text === null).map(([field]) => field),
      set: Object.fromEntries(texts.filter((entry): entry is [string, string] => entry[1] !== null)),
    };
  }
}

/** A request's share in a change. */
export interface Share {
  readonly task: Task;
  recorded: Recorded;
  /** What the store answered that this request had not seen yet. */
  current: Texts | null;
  /** What it had seen where it was put on top of what others were to leave. */
  seen: Record<string, string | null> | null;
}

/** What has to be as this request saw it. */
function expectationOf({ state }: Task, recorded: Recorded): Texts | null {
  const { onConflict, store } = state.config;
  // Where a comparison costs nothing, plain assignments are watched too, so that an overwritten value is reported.
  const watched = onConflict === "reject" || store.capabilities.local ? recorded.assigned : null;
  if (recorded.computed === null || watched === null) return recorded.computed ?? watched;
  return { ...watched, ...recorded.computed };
}

/** On top of others' texts a field may come to nothing, which holds where the store has that text, or is about to. */
function expecting(texts: Texts, rebased: Recorded | null, { clears }: Recorded): Recorded {
  if (rebased === null) return { clear: false, clears, set: {}, remove: [], computed: texts, assigned: null };
  const { clear, set, remove } = rebased;
  let { computed } = rebased;
  for (const field of clear ? [] : Object.keys(texts)) {
    if (!Object.hasOwn(set, field) && !remove.includes(field)) {
      computed = { ...computed, [field]: texts[field] as string | null };
    }
  }
  return { ...rebased, computed };
}

/** The change of one request. */
export function changeOf(task: Task, recorded: Recorded): Change {
  const expiresAt = extension(task);
  return {
    operation: newOperation(),
    now: task.now,
    expect: expectationOf(task, recorded) ?? undefined,
    clear: recorded.clear,
    remove: recorded.remove,
    set: recorded.set,
    lastUsedAt: expiresAt === undefined ? undefined : task.now,
    expiresAt,
    fence: task.state.lease?.fence,
  };
}

/**
 * One change that does what the requests' changes would do one after the other. Only the first to look at a field has
 * the store compare it; the next ones are compared here, with what those before them leave.
 */
export class Fold {
  /** The store's texts as this process left them. They may be out of date. */
  readonly #stored: KnownTexts;
  readonly #left = new KnownTexts();
  #expect: Record<string, string | null> | undefined;
  #now: EpochMilliseconds = 0;
  #lastUsedAt: EpochMilliseconds | undefined;
  #expiresAt: EpochMilliseconds | undefined;

  constructor(stored: KnownTexts) {
    this.#stored = stored;
  }

  /**
   * Puts a request's changes on top.
   *
   * @throws FastSessionError what the request is to be told instead: nothing of it is in the change then
   */
  add(share: Share): void {
    const { task } = share;
    const { state } = task;
    let { recorded } = share;
    let expected = expectationOf(task, recorded);
    // Rebasing collects anew, and what was recorded since may look at further fields.
    for (let other = this.#otherThan(expected, share); other !== null; other = this.#otherThan(expected, share)) {
      for (const field of Object.keys(other)) {
        if (this.#left.of(field) !== undefined) share.seen = { [field]: expected?.[field] ?? null, ...share.seen };
      }
      share.recorded = recorded = expecting(
        { ...recorded.computed, ...other },
        rebase(state, recorded, other),
        recorded,
      );
      expected = expectationOf(task, recorded);
    }
    guardSize(state, recorded.set, recorded);
    for (const field of Object.keys(expected ?? {})) {
      if (this.#left.of(field) !== undefined) continue;
      (this.#expect ??= {})[field] = (expected as Texts)[field] as string | null;
    }
    this.#left.apply(recorded);
    this.#renew(task);
  }

  change(): Change {
    return {
      operation: newOperation(),
      now: this.#now,
      expect: this.#expect,
      ...this.#left.toChange(),
      lastUsedAt: this.#lastUsedAt,
      expiresAt: this.#expiresAt,
    };
  }

  /** Texts other than expected; `null`: there is none, as far as is known here. */
  #otherThan(expected: Texts | null, { recorded, current }: Share): Texts | null {
    let found: Record<string, string | null> | null = null;
    for (const field of Object.keys(expected ?? {})) {
      let text = this.#left.of(field);
      if (text === undefined && current !== null && Object.hasOwn(current, field)) text = current[field];
      // Only a guess, which must not refuse an assignment: the store knows.
      if (text === undefined && Object.hasOwn(recorded.computed ?? {}, field)) text = this.#stored.of(field);
      if (text !== undefined && text !== (expected as Texts)[field]) (found ??= {})[field] = text;
    }
    return found;
  }

  #renew(task: Task): void {
    this.#now = Math.max(this.#now, task.now);
    const expiresAt = extension(task);
    if (expiresAt === undefined) return;
    this.#lastUsedAt = Math.max(this.#lastUsedAt ?? 0, task.now);
    this.#expiresAt = Math.max(this.#expiresAt ?? 0, expiresAt);
  }
}
