/**
 * One call of each verb, of which a connection is cut somewhere in the middle, and what must be true afterwards.
 *
 * What a whole call leaves is taken from the memory store, which has no connection to be cut.
 */
import { FastSessionError } from "../../src/core/errors.ts";
import { hashedKey, newHandle, newId, newOperation, userTag } from "../../src/core/session-id.ts";
import type { Key, NewSession } from "../../src/core/session-record.ts";
import type { SessionStore } from "../../src/core/session-store.ts";
import { MemoryStore } from "../../src/stores/memory.ts";
import type { CuttingProxy, Direction } from "./cutting-proxy.ts";

const NOW = Date.UTC(2030, 0, 1);
const HOUR = 3_600_000;
const LATER = NOW + 2 * HOUR;
const END = { now: NOW, tombstoneUntil: LATER };
const CHANGE = { now: NOW, expect: { a: "1" }, remove: ["c"], set: { a: "2", b: "2" }, lastUsedAt: NOW };

type Users = Required<Pick<SessionStore, "listByUser" | "revokeUser">>;
export type CutStore = SessionStore & Users;

/** What a verb needs to be there. */
type Role = "visitor" | "first" | "second";

/** Names of one call's own. All of one kind are of one length, so that each call sends as many bytes. */
class Scene {
  readonly user = `user ${newHandle()}`;
  readonly #tag = userTag(this.user);
  readonly keys: Readonly<Record<Role | "next", Key>> = {
    visitor: hashedKey("sid", newId()),
    first: hashedKey("sid", newId(this.#tag)),
    second: hashedKey("sid", newId(this.#tag)),
    // Nobody has it yet.
    next: hashedKey("sid", newId(this.#tag)),
  };
  readonly operation = newOperation();
  readonly #handles = { visitor: newHandle(), first: newHandle(), second: newHandle(), next: newHandle() };
  readonly #roles: readonly Role[];

  constructor(roles: readonly Role[]) {
    this.#roles = roles;
  }

  /** Makes the sessions: a visitor's, and the user's. */
  async prepare(store: SessionStore): Promise<this> {
    const made = this.#roles.map(async (role, index) => {
      const now = NOW - 5000 + index * 1000;
      const bind = role === "visitor" ? undefined : { userId: this.user, metadata: { device: "phone" }, maxAge: null };
      const answer = await store.create(this.record(role, now), { operation: newOperation(), now, bind });
      if (!answer.ok) throw new Error(`the session was not created: ${answer.reason}`);
    });
    await Promise.all(made);
    return this;
  }

  record(role: Role | "next", now: number): NewSession {
    const times = { createdAt: now, lastUsedAt: now, expiresAt: NOW + HOUR };
    return { key: this.keys[role], fields: { a: "1", b: "1", c: "1" }, handle: this.#handles[role], ...times };
  }

  /** All there is of it, in words that another scene has, too. */
  async look(store: CutStore): Promise<string> {
    const keys = [...this.#roles, "next" as const].map((role) => this.keys[role]);
    const [list, ...records] = await Promise.all([
      store.listByUser(this.user, { now: NOW, limit: 9 }),
      ...keys.map((key) => store.load(key, NOW)),
    ]);
    return this.named({ records, list });
  }

  named(value: unknown): string {
    let text = JSON.stringify(value, sorted).replaceAll(this.user, "<user>");
    for (const names of [this.keys, this.#handles]) {
      for (const [name, own] of Object.entries(names)) text = text.replaceAll(own, `<${name}>`);
    }
    return text;
  }
}

/** Objects that are equal have equal texts. */
function sorted(_: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).toSorted(([one], [other]) => (one < other ? -1 : 1)));
}

interface Verb {
  readonly roles: readonly Role[];
  /** Carries no operation id: who sends it again is told that nothing is left to do. */
  readonly unnamed?: boolean;
  call(store: CutStore, scene: Scene): unknown;
}

const VERBS = {
  load: { roles: ["first"], call: (store, { keys }) => store.load(keys.first, NOW) },
  create: {
    roles: [],
    call: (store, scene) => store.create(scene.record("next", NOW), { operation: scene.operation, now: NOW }),
  },
  commit: {
    roles: ["first"],
    call: (store, { keys, operation }) => store.commit(keys.first, { ...CHANGE, operation, expiresAt: LATER }),
  },
  renew: {
    roles: ["first"],
    call: (store, { keys }) => store.renew(keys.first, { now: NOW, lastUsedAt: NOW, expiresAt: LATER }),
  },
  rotate: {
    roles: ["first"],
    call: (store, { keys: { first, next }, operation }) => {
      const leave = { kind: "alias", to: next, sealedId: "sealed", expiresAt: LATER } as const;
      return store.rotate(first, next, { ...CHANGE, operation }, { leave });
    },
  },
  "rotate that is a login": {
    roles: ["visitor", "first", "second"],
    call: (store, { user, keys: { visitor, next }, operation }) => {
      const cap = { max: 2, policy: "evict-oldest", tombstoneUntil: LATER } as const;
      const bind = { userId: user, metadata: { device: "laptop" }, maxAge: null, cap };
      const leave = { kind: "tombstone", reason: "rotated", expiresAt: LATER } as const;
      return store.rotate(visitor, next, { ...CHANGE, operation, createdAt: NOW }, { leave, bind });
    },
  },
  destroy: { roles: ["first"], unnamed: true, call: (store, { keys }) => store.destroy(keys.first, END) },
  revokeUser: { roles: ["first", "second"], unnamed: true, call: (store, { user }) => store.revokeUser(user, END) },
} satisfies Record<string, Verb>;
export type CutVerb = keyof typeof VERBS;

export const CUT_VERBS = Object.keys(VERBS) as readonly CutVerb[];

/** A store by a connection of its own that can be cut, and the same one by a connection that cannot. */
export interface CutLine {
  readonly proxy: CuttingProxy;
  readonly store: CutStore;
  readonly direct: CutStore;
}

/**
 * Cuts a call of the verb after every byte of it, over all lines at once.
 *
 * @param step every so many bytes instead, the last one among them
 * @returns what must not be, each kind once
 */
export async function cutEverywhere(
  lines: readonly CutLine[],
  verb: CutVerb,
  direction: Direction,
  step = 1,
): Promise<string[]> {
  const { roles, unnamed = false, call }: Verb = VERBS[verb];
  const make = (store: SessionStore): Promise<Scene> => new Scene(roles).prepare(store);
  const memory = new MemoryStore();
  const model = await make(memory);
  const before = await model.look(memory);
  const answer = model.named(await call(memory, model));
  const after = await model.look(memory);

  const faults = new Set<string>();
  let cuts = 0;
  const check = (kind: string, found: string, ...expected: string[]): void => {
    if (!expected.includes(found)) faults.add(`${kind}: ${found} instead of ${expected.join(" or ")}`);
  };

  async function cut({ proxy, store, direct }: CutLine, at: number): Promise<void> {
    const scene = await make(direct);
    let isCut = false;
    void proxy.cutAfter(direction, at).then(() => (isCut = true));
    const outcome = await Promise.resolve(call(store, scene)).then(
      (value) => ({ ok: true, value }) as const,
      (error: unknown) => ({ ok: false, error }) as const,
    );
    if (!isCut) return proxy.keepWhole();
    cuts += 1;
    let found = await scene.look(direct);
    // A server may begin to answer before it is done. What is torn stays so.
    for (let more = 100; more > 0 && found !== before && found !== after; more -= 1) found = await scene.look(direct);
    if (outcome.ok) {
      check("an acknowledged call", found, after);
      if (!unnamed) check("its answer", scene.named(outcome.value), answer);
      return;
    }
    const code = outcome.error instanceof FastSessionError ? outcome.error.code : String(outcome.error);
    if (code === "ERR_SESSION_STORE") check("a call that has not happened", found, before);
    else if (code === "ERR_SESSION_STORE_UNKNOWN" && verb !== "load") check("an unknown call", found, before, after);
    else faults.add(`a call failed by ${code}`);
    if (direction === "toServer") check("a call that did not arrive", found, before);
    const again = scene.named(await call(direct, scene));
    if (!unnamed) check("a repeated call's answer", again, answer);
    check("a repeated call", await scene.look(direct), after);
  }

  const [{ proxy, store, direct }] = lines as [CutLine];
  // Clients prepare at the first call; what has happened already may be called again.
  const known = await make(direct);
  await connected(() => call(store, known));
  const measured = await make(direct);
  proxy.resetCounts();
  await call(store, measured);
  const bytes = proxy.counts[direction];
  const places = Array.from({ length: Math.ceil(bytes / step) }, (_, index) => bytes - 1 - index * step);
  const wanted = places.length;
  await Promise.all(
    lines.map(async (line) => {
      for (let at = places.pop(); at !== undefined; at = places.pop()) {
        await connected(() => call(line.store, known));
        await cut(line, at);
      }
    }),
  );
  // The name of a prepared statement may be a byte shorter than the one that was measured.
  if (cuts === 0 || cuts < wanted - 3) faults.add(`${cuts} cuts instead of ${wanted}`);
  return [...faults];
}

/** Until a call comes through. */
async function connected(call: () => unknown): Promise<void> {
  for (;;) {
    try {
      await call();
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }
}
