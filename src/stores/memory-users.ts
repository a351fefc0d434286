import { placeOf, rowAt } from "../core/list-place.ts";
import type { Binding, SessionPage, SessionSummary } from "../core/session-record.ts";
import type { Bind } from "../core/session-store.ts";
import type { EpochMilliseconds } from "../core/units.ts";
import { Link } from "./memory-link.ts";
import { Membership, type SessionRecord } from "./memory-record.ts";
import { RANDOM_END, ShardedMap } from "./memory-sharded-map.ts";

/** Which sessions belong to whom. Holds bound records and nothing else: what ends leaves at once. */
export class UserIndex {
  readonly #rings = new ShardedMap<Link>(Infinity);
  readonly #handles = new ShardedMap<Membership>(RANDOM_END);
  /** Only of users whose generation was raised. Kept while the process lives: a forgotten one would undo a revoke. */
  readonly #generations = new Map<string, number>();
  #order = 0;

  generation(userId: string): number {
    return this.#generations.get(userId) ?? 0;
  }

  raise(userId: string): number {
    const raised = this.generation(userId) + 1;
    this.#generations.set(userId, raised);
    return raised;
  }

  /** Binds an unbound record. */
  bind(record: SessionRecord, binding: Binding): void {
    const membership = new Membership(record, binding, (this.#order += 1));
    let ring = this.#rings.get(binding.userId);
    if (ring === undefined) this.#rings.set(binding.userId, (ring = new Link()));
    membership.joinRing(ring);
    this.#handles.set(membership.handle, membership);
    record.owner = membership;
  }

  /** Unbinds a record, if it is bound. Its handle stays. */
  unbind(record: SessionRecord): void {
    const membership = record.owner;
    if (typeof membership === "string") return;
    const { userId } = membership.binding;
    membership.leaveRing();
    if (this.#rings.get(userId)?.alone) this.#rings.delete(userId);
    if (this.#handles.get(membership.handle) === membership) this.#handles.delete(membership.handle);
    record.owner = membership.handle;
  }

  /** Lifts a bound record to a generation, so that a revoke of its user passes it by. */
  stamp(record: SessionRecord, generation: number): void {
    if (typeof record.owner !== "string") record.owner.binding = { ...record.owner.binding, generation };
  }

  byHandle(handle: string): SessionRecord | undefined {
    return this.#handles.get(handle)?.record;
  }

  /** A user's records in the order of their logins, also those past their deadline. */
  recordsOf(userId: string): SessionRecord[] {
    return Array.from(this.#memberships(userId), ({ record }) => record);
  }

  /**
   * Who must go so that a login fits under its cap, or why it may not be.
   *
   * @param replaced the record that the login rotates: it takes its own place
   */
  admit(bind: Bind, now: EpochMilliseconds, replaced?: SessionRecord): readonly SessionRecord[] | "cap" | "revoked" {
    const { userId, since, cap } = bind;
    if (since !== undefined && since < this.generation(userId)) return "revoked";
    if (cap === undefined) return [];
    const others = this.recordsOf(userId).filter((record) => record.expiresAt > now && record !== replaced);
    const surplus = others.length + 1 - cap.max;
    if (surplus <= 0) return [];
    if (cap.policy === "reject") return "cap";
    const age = cap.policy === "evict-idle" ? lastUse : login;
    return others.sort((one, other) => age(one) - age(other)).slice(0, surplus);
  }

  page(userId: string, now: EpochMilliseconds, after: string | null | undefined, limit: number): SessionPage {
    const [, start] = rowAt(after);
    const sessions: SessionSummary[] = [];
    let last = 0;
    for (const membership of this.#memberships(userId)) {
      if (membership.order <= start || membership.record.expiresAt <= now) continue;
      if (sessions.length === limit) return { sessions, after: placeOf(sessions.at(-1)?.boundAt ?? 0, last) };
      sessions.push(summary(membership));
      last = membership.order;
    }
    return { sessions, after: null };
  }

  *#memberships(userId: string): Generator<Membership, void> {
    const ring = this.#rings.get(userId);
    if (ring === undefined) return;
    for (let link = ring.next; link !== ring; link = link.next) yield link as Membership;
  }
}

const login = (record: SessionRecord): number => record.binding?.boundAt ?? 0;
const lastUse = (record: SessionRecord): number => record.lastUsedAt;

function summary({ record, binding, handle }: Membership): SessionSummary {
  const { createdAt, lastUsedAt, expiresAt } = record;
  return { handle, createdAt, boundAt: binding.boundAt, lastUsedAt, expiresAt, metadata: binding.metadata };
}
