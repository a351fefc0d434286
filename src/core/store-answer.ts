/** What each verb may answer: what a store says is looked at before it is believed. `load` is in `load-record.ts`. */
import { FastSessionError, type FastSessionErrorCode } from "./errors.ts";
import { isPlace } from "./list-place.ts";

type Check = (answer: unknown) => boolean;
type Parts = Readonly<Record<string, unknown>>;

const RESULTS: Readonly<Record<string, Check>> = {
  create: result({ ok: isMade, duplicate: isSaid, rejected: isRejected }),
  commit: result({ ok: isSaid, gone: isSaid, moved: isMoved, conflict: isConflict }),
  rotate: result({
    ok: isMade,
    gone: isSaid,
    moved: isMoved,
    conflict: isConflict,
    duplicate: isSaid,
    rejected: isRejected,
  }),
};

const OTHERS: Readonly<Record<string, Check>> = {
  renew: isBoolean,
  destroy: isBoolean,
  listByUser: parts(({ sessions, after }) => Array.isArray(sessions) && (after === null || isPlace(after))),
  revokeHandle: (key) => key === null || isText(key),
  revokeUser: parts(({ generation, keys }) => Number.isFinite(generation) && areTexts(keys)),
  generation: Number.isFinite,
  lock: (held) => held === null || parts(isLock)(held),
  sweep: Number.isFinite,
};

/** Answers what it is given, or throws where that is no answer. */
type Believe = <T>(answer: T) => T;

const BELIEVERS: ReadonlyMap<string, Believe> = new Map([
  ...Object.entries(RESULTS).map(([verb, check]) => believer(verb, check, "ERR_SESSION_STORE_UNKNOWN")),
  ...Object.entries(OTHERS).map(([verb, check]) => believer(verb, check, "ERR_SESSION_STORE")),
]);

/**
 * What believes the answers to a verb: no nonsense may read as "gone" and sign somebody out.
 *
 * @returns a function that throws FastSessionError, `ERR_SESSION_STORE_UNKNOWN` where a change may have been made
 */
export function believing(verb: string): Believe {
  return BELIEVERS.get(verb) ?? same;
}

function believer(verb: string, check: Check, code: FastSessionErrorCode): [string, Believe] {
  const believe: Believe = (answer) => {
    if (check(answer)) return answer;
    throw new FastSessionError(
      code,
      `the store answered "${verb}" with something that makes no sense: run storeContract of fastsession/testing on it, and look at what may change answers on their way`,
    );
  };
  return [verb, believe];
}

function same<T>(answer: T): T {
  return answer;
}

/** An answer with `ok: true`, or with the reason why not. */
function result(reasons: Readonly<Record<string, (answer: Parts) => boolean>>): Check {
  return parts((answer) => {
    const reason = answer["ok"] === true ? "ok" : answer["ok"] === false ? answer["reason"] : undefined;
    return typeof reason === "string" && Object.hasOwn(reasons, reason) && reasons[reason]?.(answer) === true;
  });
}

function parts(check: (answer: Parts) => boolean): Check {
  return (answer) => typeof answer === "object" && answer !== null && check(answer as Parts);
}

function isSaid(): boolean {
  return true;
}

function isMade({ evicted }: Parts): boolean {
  return areTexts(evicted);
}

function isMoved({ to, sealedId }: Parts): boolean {
  return isText(to) && isText(sealedId);
}

function isConflict({ current }: Parts): boolean {
  if (typeof current !== "object" || current === null) return false;
  return Object.values(current).every((text) => text === null || isText(text));
}

function isRejected({ why }: Parts): boolean {
  return why === "cap" || why === "revoked" || why === "full";
}

function isLock({ fence, release }: Parts): boolean {
  return Number.isFinite(fence) && typeof release === "function";
}

function areTexts(values: unknown): boolean {
  return Array.isArray(values) && values.every(isText);
}

function isText(value: unknown): boolean {
  return typeof value === "string";
}

function isBoolean(value: unknown): boolean {
  return typeof value === "boolean";
}
