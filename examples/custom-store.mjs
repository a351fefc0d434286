// A complete SessionStore over a Map, without an index of users. test/docs runs the contract kit against it.
const GONE = { ok: false, reason: "gone" };
const DUPLICATE = { ok: false, reason: "duplicate" };

export class MapStore {
  // What it can promise: answers at once, is keyed by the id, and lives as long as this process.
  capabilities = {
    local: true,
    keys: "id",
    userIndex: false,
    feed: null,
    durable: false,
    consistency: "process",
    lock: false,
  };
  // A record, or what a rotation or an end left in its place: an alias or a tombstone.
  entries = new Map();

  load(key, now) {
    const entry = this.entries.get(key) ?? null;
    return entry?.kind === "session" || entry?.expiresAt > now ? entry : null;
  }

  create({ key, ...record }, { now, bind }) {
    if (!this.#isFree(key, now)) return DUPLICATE;
    const fields = { ...record.fields };
    this.entries.set(key, {
      kind: "session",
      version: 1,
      rotatedAt: now,
      ...record,
      fields,
      binding: bindingOf(bind, now),
    });
    return { ok: true, evicted: [] };
  }

  commit(key, change) {
    const { found, refusal } = this.#find(key, change);
    if (refusal) return refusal;
    const record = changed(found, change);
    this.entries.set(key, record);
    return { ok: true, version: record.version };
  }

  renew(key, at) {
    return this.commit(key, at).ok;
  }

  rotate(oldKey, newKey, change, { leave, bind }) {
    const { found, refusal } = this.#find(oldKey, change);
    if (refusal && refusal.reason !== "conflict") return refusal;
    if (!this.#isFree(newKey, change.now)) return DUPLICATE;
    if (refusal) return refusal;
    const record = { ...changed(found, change), rotatedAt: change.now };
    if (bind !== undefined) record.binding = bindingOf(bind, change.now);
    this.entries.set(newKey, record);
    this.entries.set(oldKey, leave);
    return { ok: true, version: record.version, evicted: [] };
  }

  destroy(key, at) {
    const { refusal } = this.#find(key, at);
    if (refusal?.reason === "moved") return this.destroy(refusal.to, at);
    if (refusal) return false;
    this.entries.set(key, { kind: "tombstone", reason: "revoked", expiresAt: at.tombstoneUntil });
    return true;
  }

  sweep(now, limit) {
    const due = [...this.entries].filter(([, entry]) => entry.expiresAt <= now).slice(0, limit);
    for (const [key] of due) this.entries.delete(key);
    return due.length;
  }

  #isFree(key, now) {
    const entry = this.entries.get(key);
    return entry === undefined || entry.expiresAt <= now;
  }

  // The live record under a key whose fields are as expected, or why there is none. Nothing is awaited between this
  // check and the change that follows: that makes a verb one step. A backend needs a transaction or a script for it.
  #find(key, { now, expect = {} }) {
    const found = this.entries.get(key);
    if (found === undefined || found.expiresAt <= now || found.kind === "tombstone") return { refusal: GONE };
    if (found.kind === "alias") {
      return { refusal: { ok: false, reason: "moved", to: found.to, sealedId: found.sealedId } };
    }
    const textOf = (name) => (Object.hasOwn(found.fields, name) ? found.fields[name] : null);
    const differing = Object.keys(expect).filter((name) => textOf(name) !== expect[name]);
    if (differing.length === 0) return { found };
    const current = Object.fromEntries(differing.map((name) => [name, textOf(name)]));
    return { refusal: { ok: false, reason: "conflict", current } };
  }
}

// A new record: what `load` handed out stays as it was. First `clear`, then `remove`, then `set`.
function changed(record, { clear, remove, set, lastUsedAt = 0, expiresAt = 0, createdAt }) {
  const fields = clear ? {} : { ...record.fields };
  for (const name of remove ?? []) delete fields[name];
  Object.assign(fields, set);
  return {
    ...record,
    fields,
    version: record.version + (clear || remove || set ? 1 : 0),
    lastUsedAt: Math.max(record.lastUsedAt, lastUsedAt),
    // Only ever later, unless a login starts a new absolute period.
    expiresAt: createdAt === undefined ? Math.max(record.expiresAt, expiresAt) : expiresAt,
    createdAt: createdAt ?? record.createdAt,
  };
}

function bindingOf(bind, now) {
  if (!bind) return null;
  return { userId: bind.userId, boundAt: now, generation: 0, metadata: { ...bind.metadata }, maxAge: bind.maxAge };
}
