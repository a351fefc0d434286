/**
 * A process that makes, moves, ends and forgets sessions of a few users until it is killed. Its clock advances with each
 * call, so that sessions expire among the calls. Tells its time after each.
 *
 * Arguments: the backend's name and address, the time to begin at, and a seed.
 */
import { FastSessionError } from "../../src/core/errors.ts";
import { hashedKey, newHandle, newId, newOperation, userTag } from "../../src/core/session-id.ts";
import type { Key } from "../../src/core/session-record.ts";
import type { Bind, SessionStore } from "../../src/core/session-store.ts";
import { CHURN_USERS } from "./churn.ts";
import { type BackendName, openStore } from "./fleet-stores.ts";

const [name = "", address = "", start = "", seed = ""] = process.argv.slice(2);
const store = (await openStore(name as BackendName, address)) as SessionStore &
  Required<Pick<SessionStore, "revokeHandle" | "revokeUser">>;

const LANES = 4;
const STEP = 250;
/** Most sessions live for less, many end among the calls. */
const LONGEST = 200_000;

let now = Number(start);
let state = Number(seed) >>> 0;

/** Numerical Recipes' generator. */
function random(limit: number): number {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
  return Math.floor((state / 2 ** 32) * limit);
}

interface Known {
  readonly key: Key;
  readonly handle: string;
}

function bindTo(userId: string): Bind {
  const policy = random(2) === 0 ? "evict-oldest" : "evict-idle";
  return { userId, metadata: {}, maxAge: null, cap: { max: 5, policy, tombstoneUntil: now + 5000 } };
}

function newKey(userId?: string): Key {
  return hashedKey("sid", newId(userId === undefined ? undefined : userTag(userId)));
}

async function make(userId: string | undefined): Promise<Known> {
  const made = { key: newKey(userId), handle: newHandle() };
  const times = { createdAt: now, lastUsedAt: now, expiresAt: now + 1 + random(LONGEST) };
  const bind = userId === undefined ? undefined : bindTo(userId);
  await store.create({ ...made, fields: { a: "1" }, ...times }, { operation: newOperation(), now, bind });
  return made;
}

async function move(known: Known, userId: string | null | undefined): Promise<Known> {
  const key = newKey(userId ?? undefined);
  const expiresAt = now + 1 + random(LONGEST);
  const leave =
    userId === undefined
      ? ({ kind: "alias", to: key, sealedId: "sealed", expiresAt: now + 5000 } as const)
      : ({ kind: "tombstone", reason: "rotated", expiresAt: now + 5000 } as const);
  const bind = typeof userId === "string" ? bindTo(userId) : userId;
  const change = { operation: newOperation(), now, set: { b: "1" }, lastUsedAt: now, expiresAt };
  const answer = await store.rotate(known.key, key, change, { leave, bind });
  return answer.ok ? { key, handle: known.handle } : known;
}

async function step(known: Known): Promise<Known> {
  const user = CHURN_USERS[random(CHURN_USERS.length)] as string;
  const end = { now, tombstoneUntil: now + 5000 };
  const expiresAt = now + random(LONGEST);
  switch (random(12)) {
    case 0:
      return make(undefined);
    case 1:
    case 2:
      return make(user);
    case 3:
    case 4:
      return move(known, user);
    case 5:
      return move(known, undefined);
    case 6:
      return move(known, null);
    case 7:
      await store.renew(known.key, { now, lastUsedAt: now, expiresAt });
      return known;
    case 8:
      await store.commit(known.key, { operation: newOperation(), now, set: { c: "1" }, expiresAt });
      return known;
    case 9:
      await store.destroy(known.key, end);
      return known;
    case 10:
      if (random(4) === 0) await store.revokeUser(user, end);
      else await store.revokeHandle(known.handle, end);
      return known;
    default:
      await store.sweep?.(now, 5);
      return known;
  }
}

async function lane(): Promise<never> {
  let known = await make(undefined);
  for (;;) {
    now += STEP;
    try {
      known = await step(known);
    } catch (error) {
      // A server may be away for a while.
      if (!(error instanceof FastSessionError)) throw error;
    }
    await new Promise<void>((resolve) => process.send?.(now, () => resolve()));
  }
}

process.on("disconnect", () => process.exit());
await Promise.all(Array.from({ length: LANES }, lane));
