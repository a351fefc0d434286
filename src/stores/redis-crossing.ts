import { FastSessionError } from "../core/errors.ts";
import type { Leave } from "../core/session-record.ts";
import type { Bind, Conflict, Duplicate, Gone, Moved, Rejected, RotateChange, Rotated } from "../core/session-store.ts";
import { isList, type Reply, toRefusal, toRotated } from "./redis-answers.ts";
import { rotateArguments } from "./redis-arguments.ts";
import type { RedisCaller } from "./redis-caller.ts";
import { COPY, DISCARD, RETIRE, TAKE } from "./redis-moves.ts";

/** What `rotate` answers, and the public name of what was moved. */
export interface Settled {
  readonly answer: Rotated | Gone | Moved | Conflict | Duplicate | Rejected;
  readonly handle: string;
}

/** How often the record is copied again because somebody wrote to it. Then it is withheld from them. */
const ROUNDS = 4;

/** Fields that RETIRE adds to a record which it withholds. */
const WITHHELD: ReadonlySet<string> = new Set(["t", "n"]);
/** Fields that say whether a record is as it was. */
const STATE = ["v", "l", "e", "f", "k"] as const;

interface Move {
  readonly old: string;
  readonly fresh: readonly string[];
  readonly change: RotateChange;
  readonly leave: Leave;
  readonly bind: Bind | null | undefined;
  readonly channel: string;
}

/**
 * `rotate` between two slots of Redis Cluster, which no script can span: a login of a visitor, as a rule. The record is
 * taken (1), written under its new key with the change (2), and the old key is ended if nothing was written there since
 * (3), else the copy is written again. Each step is atomic, and (3) is the instant of the rotation. docs/decisions/009.
 *
 * - A write or a logout under the old key before (3) is in the copy, or ends it; after (3) it is refused.
 * - A revocation of the user after (2) ends the copy, and the rotation is refused.
 * - A process that dies before (3) leaves the old session as it was, and a copy whose id nobody knows, until it expires.
 */
export async function rotateAcross(caller: RedisCaller, move: Move): Promise<Settled> {
  const { old, fresh, change, leave, bind, channel } = move;
  const args = rotateArguments(change, leave, bind, true, channel);
  const mark = args[1] as string;
  let taken = await caller.write(TAKE, [old], args);
  for (let round = 1; ; round += 1) {
    const [what, record] = isList(taken) ? (taken as readonly [string, readonly string[]]) : [];
    if (what !== "record" && what !== "pending") return toSettled(taken);
    const fields = kept(record as readonly string[]);
    if (bind === undefined && fields.has("u")) throw foreignTag();
    const again = round > 1 || what === "pending" ? "again" : "";
    const copied = await caller.write(COPY, fresh, copyArguments(args, fields, again));
    const refusal = toRefusal(copied);
    // Ended by a revocation meanwhile, which is later than the login.
    if (refusal?.reason === "gone" && bind) return refused({ ok: false, reason: "rejected", why: "revoked" });
    if (refusal !== null) return refused(refusal);
    const rotated = toRotated(copied);
    const { version, evicted } = rotated.answer;
    const state = STATE.map((letter) => fields.get(letter) ?? "").join(" ");
    const retire = [...args.slice(0, 9), state, String(version), evicted.join(" "), round >= ROUNDS ? "1" : ""];
    const retired = await caller.write(RETIRE, [old], retire);
    if (isList(retired) && retired[0] === "ok") return rotated;
    const over = toRefusal(retired);
    if (over !== null) {
      await caller.write(DISCARD, fresh.slice(0, 1), [mark]);
      return refused(over);
    }
    taken = retired;
  }
}

function kept(record: readonly string[]): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  for (let at = 0; at < record.length; at += 2) {
    const name = record[at] as string;
    if (!WITHHELD.has(name)) fields.set(name, record[at + 1] as string);
  }
  return fields;
}

function copyArguments(args: readonly string[], fields: ReadonlyMap<string, string>, again: string): string[] {
  const record = [...fields].flat();
  return [...args.slice(0, 5), again, ...args.slice(6, 16), String(record.length), ...record, ...args.slice(17)];
}

/** A session and its user's index share a slot, so that a script can change both. */
export function foreignTag(): FastSessionError {
  return new FastSessionError(
    "ERR_SESSION_UNSUPPORTED",
    "on Redis Cluster the id of a user's session carries the user's routing tag: leave idGenerator out",
  );
}

function refused(answer: Settled["answer"]): Settled {
  return { answer, handle: "" };
}

/** What ROTATE answers, and TAKE to a call that arrived before. */
export function toSettled(reply: Reply): Settled {
  const refusal = toRefusal(reply);
  return refusal === null ? toRotated(reply) : refused(refusal);
}
