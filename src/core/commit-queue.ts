/**
 * Commits of one session in one process, on stores that are far away. While one is under way those of other requests
 * gather, and go together in one call: a session that many requests change at once costs few calls and no conflicts.
 */
import { isPromise } from "./awaitable.ts";
import { changeOf, Fold, KnownTexts, type Share } from "./commit-fold.ts";
import { conflictOn, isOver, pauseAfter, wait } from "./conflict.ts";
import { FastSessionError } from "./errors.ts";
import { isOutlived, outlived } from "./lease.ts";
import { renewed, type Task } from "./outcomes.ts";
import type { Recorded } from "./recorded-field.ts";
import { isUnknown, secondTry } from "./send-step.ts";
import type { SessionConfig } from "./session-config.ts";
import type { Unsettled } from "./session-identity.ts";
import type { Key } from "./session-record.ts";
import type { Change, Committed, Conflict, Gone, Moved } from "./session-store.ts";
import { callStore, type Sending } from "./store-call.ts";
import type { Awaitable } from "./units.ts";

type Answer = Committed | Conflict | Gone | Moved;
/** What becomes of a request whose record is not under its key any more. */
type Ended = (task: Task, answer: Gone | Moved) => Awaitable<void>;

/** A request that waits for its commit. */
interface Part extends Share {
  readonly ended: Ended;
  /** What it was left with when nobody knew what had become of its call. */
  unsettled: Unsettled | null;
  readonly resolve: (done: Awaitable<void>) => void;
  readonly reject: (error: unknown) => void;
}

/** One call, for one or several requests. */
interface Batch extends Sending {
  readonly parts: readonly Part[];
  readonly change: Change;
  /** The outcome, when a repeat that one of them made brought it, or is about to. */
  verdict: Promise<Answer> | null;
}

/** Queues with a call under way. */
const queues = new WeakMap<SessionConfig, Map<Key, CommitQueue>>();

/** Commits with whatever other requests of this session have to commit by then. */
export function commitMerged(task: Task, ended: Ended): Promise<void> {
  const { config } = task.state;
  const key = task.state.key as Key;
  let keys = queues.get(config);
  if (keys === undefined) queues.set(config, (keys = new Map()));
  let queue = keys.get(key);
  if (queue === undefined) keys.set(key, (queue = new CommitQueue(config, key, keys)));
  return queue.add(task, ended);
}

class CommitQueue {
  readonly #config: SessionConfig;
  readonly #key: Key;
  readonly #keys: Map<Key, CommitQueue>;
  readonly #waiting: Part[] = [];
  #busy = false;
  /** Conflicts in a row. */
  #conflicts = 0;
  /** What the calls so far left and showed: those who wait read the session before that. */
  #stored = new KnownTexts();

  constructor(config: SessionConfig, key: Key, keys: Map<Key, CommitQueue>) {
    this.#config = config;
    this.#key = key;
    this.#keys = keys;
  }

  add(task: Task, ended: Ended): Promise<void> {
    return new Promise<void>((resolve, reject) => {
      this.#waiting.push({
        task,
        recorded: task.recorded as Recorded,
        current: null,
        seen: null,
        ended,
        unsettled: null,
        resolve,
        reject,
      });
      if (!this.#busy) this.#next();
    });
  }

  #next(): void {
    const batch = this.#batch(this.#waiting.splice(0, together(this.#waiting)));
    this.#busy = batch !== null;
    if (batch === null) {
      if (this.#waiting.length > 0) return this.#next();
      this.#keys.delete(this.#key);
      return;
    }
    try {
      const answer = this.#call(batch, batch);
      if (!isPromise(answer)) return this.#answered(batch, answer);
      // An answer that makes no sense is a failure, too: nobody may wait for ever.
      answer.then((value) => this.#answered(batch, value)).catch((error: unknown) => this.#failed(batch, error));
    } catch (error) {
      this.#failed(batch, error);
    }
  }

  #call(batch: Batch, sending: Sending): Awaitable<Answer> {
    const { store } = this.#config;
    return callStore(this.#config, "commit", () => store.commit(this.#key, batch.change), sending);
  }

  /** Those who have a change to make, and what it is together; `null`: there is none. */
  #batch(waiting: readonly Part[]): Batch | null {
    const fold = new Fold(this.#stored);
    const parts = waiting.filter((part) => {
      try {
        fold.add(part);
        return true;
      } catch (error) {
        refuse(part, error);
        return false;
      }
    });
    const [first] = parts;
    if (first === undefined) return null;
    // Nearly always one: its own change is what the fold would make of it.
    const change = parts.length === 1 ? changeOf(first.task, first.recorded) : fold.change();
    // The one that has waited longest is the first.
    return { parts, change, since: first.task.attempt.since, doubt: false, verdict: null };
  }

  #answered(batch: Batch, answer: Answer): void {
    if (answer.ok || answer.reason !== "conflict") {
      this.#conflicts = 0;
      if (answer.ok) this.#stored.apply(batch.change);
      for (const part of batch.parts) finish(part, () => judge(part, batch.change, answer, batch.doubt));
      return this.#next();
    }
    const { current } = answer;
    this.#stored.learn(current);
    const again: Part[] = [];
    for (const part of batch.parts) {
      if (isOutlived(part.task.state, current)) refuse(part, outlived());
      else if (isLost(part, batch.doubt)) refuse(part, forget(part));
      else if (isOver(part.task.state, part.task.attempt.since) && meets(part, current))
        refuse(part, conflictOn(Object.keys(current)));
      else {
        part.current = current;
        again.push(part);
      }
    }
    this.#waiting.unshift(...again);
    const pause = pauseAfter((this.#conflicts += 1));
    if (pause === null) this.#next();
    else void wait(pause).then(() => this.#next());
  }

  #failed(batch: Batch, error: unknown): void {
    for (const part of batch.parts) {
      if (isUnknown(error)) {
        part.unsettled = { verb: "commit", again: () => this.#again(batch, part) };
        part.task.state.unsettled = part.unsettled;
      }
      refuse(part, error);
    }
    this.#stored = new KnownTexts();
    this.#next();
  }

  /** One of those who did not learn what became of the call goes on: all who go on learn it from the same repeat. */
  async #again(batch: Batch, part: Part): Promise<void> {
    const { state } = part.task;
    if (batch.verdict === null) {
      // What others were told to have failed must not happen late, over what they did about it.
      if (batch.parts.some((one) => one.task.state.unsettled !== one.unsettled)) throw forget(part);
      batch.verdict = this.#repeat(batch);
    }
    const answer = await batch.verdict;
    state.unsettled = null;
    if (answer.ok || answer.reason !== "conflict" || isLost(part, true)) {
      return judge(part, batch.change, answer, true);
    }
    return commitMerged({ ...part.task, recorded: part.recorded }, part.ended);
  }

  async #repeat(batch: Batch): Promise<Answer> {
    try {
      return await this.#call(batch, secondTry());
    } catch (error) {
      batch.verdict = null;
      throw error;
    }
  }
}

/** What an answer means for one of those who asked. A conflict is the queue's to resolve. */
function judge(part: Part, change: Change, answer: Answer, doubt: boolean): Awaitable<void> {
  const { state } = part.task;
  if (answer.ok) {
    state.recorder?.settle(part.recorded);
    if (change.expiresAt !== undefined) renewed(state, change.lastUsedAt as number, change.expiresAt);
    return undefined;
  }
  if (answer.reason !== "gone" && isLost(part, doubt)) throw forget(part);
  return part.ended({ ...part.task, recorded: part.recorded }, answer as Gone | Moved);
}

/**
 * Whether a refusal says nothing about an attempt before it: the store remembers the last operations only, and one that
 * happened and was forgotten looks like one that did not. To compute again might count twice.
 */
function isLost({ recorded }: Part, doubt: boolean): boolean {
  return doubt && recorded.computed !== null;
}

function forget(part: Part): FastSessionError {
  const { state } = part.task;
  state.unsettled = null;
  state.recorder?.reset(state.recorder.base);
  restore(part);
  return new FastSessionError(
    "ERR_SESSION_STORE_UNKNOWN",
    "whether a change was saved cannot be known any more, since the session changed meanwhile: it is not made again",
  );
}

/** Whether a conflict is about a field that this request looked at, and not only others that went with it. */
function meets({ recorded: { computed, assigned } }: Part, current: Conflict["current"]): boolean {
  return Object.keys(current).some((field) => Object.hasOwn({ ...assigned, ...computed }, field));
}

/** How many of those who wait go together: who has the session to himself goes alone, under his fence. */
function together(waiting: readonly Part[]): number {
  const alone = waiting.findIndex(({ task }) => task.state.lease !== null);
  return alone === -1 ? waiting.length : Math.max(1, alone);
}

function finish(part: Part, settle: () => Awaitable<void>): void {
  try {
    part.resolve(settle());
  } catch (error) {
    refuse(part, error);
  }
}

function refuse(part: Part, error: unknown): void {
  part.reject(error);
  if (!isUnknown(error)) restore(part);
}

/** What others were to leave is not taken for stored by a request that goes on. */
function restore({ seen, task }: Part): void {
  const { recorder } = task.state;
  if (seen === null || recorder === null) return;
  try {
    recorder.rebase(seen);
  } catch {
    // Its steps are not pure: nothing can be made of them any more.
    recorder.reset(recorder.base);
  }
}
