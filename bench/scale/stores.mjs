/** Memory stores filled directly, without HTTP: ours, those of others, and a bare `Map` from id to one JSON text. */
import { randomBytes, randomUUID } from "node:crypto";
import { createRequire } from "node:module";
import { MemoryStore } from "fastsession";

const require = createRequire(import.meta.url);
const DAY = 86_400_000;

/** 188 bytes of JSON in four fields, each session's own. */
export function contentOf(index) {
  return {
    userId: `user_${1e9 + index}`,
    counter: index & 1023,
    locale: "en-GB",
    cart: [
      { sku: `SKU-${10_000 + (index % 5000)}`, qty: 1, price: 1999 },
      { sku: `SKU-${10_000 + (index % 4999)}`, qty: 2, price: 2999 },
      { sku: `SKU-${10_000 + (index % 4993)}`, qty: 1, price: 999 },
    ],
  };
}

export const newId = () => randomBytes(24).toString("base64url");

/** A new record as the core hands it over. */
export function recordOf(index, now, expiresAt) {
  const fields = {};
  for (const [name, value] of Object.entries(contentOf(index))) fields[name] = JSON.stringify(value);
  const handle = randomBytes(12).toString("base64url");
  return { key: `1${newId().slice(0, 35)}`, fields, createdAt: now, lastUsedAt: now, expiresAt, handle };
}

/** For each kind: makes a store; answers what holds it, and a function that adds session `index`. */
export const kinds = {
  fastsession() {
    const store = new MemoryStore({ maxSessions: 2_000_000 });
    const add = (index, lifetime = DAY) => {
      const now = Date.now();
      store.create(recordOf(index, now, now + lifetime), { operation: String(index), now });
    };
    return { held: store, add };
  },
  Map() {
    const held = new Map();
    return { held, add: (index) => void held.set(newId(), JSON.stringify(contentOf(index))) };
  },
  "express-session"() {
    const { MemoryStore: Store } = require("express-session");
    const held = new Store();
    return { held, add: (index) => held.set(newId(), { cookie: expressCookie(), ...contentOf(index) }) };
  },
  memorystore() {
    const Store = require("memorystore")(require("express-session"));
    const held = new Store({ checkPeriod: DAY });
    const add = (index) => held.set(newId(), { cookie: { ...expressCookie(), maxAge: DAY }, ...contentOf(index) });
    return { held, add };
  },
  async "hono-sessions"() {
    const { MemoryStore: Store } = await import("hono-sessions");
    const held = new Store();
    const add = (index) => {
      const data = {};
      for (const [name, value] of Object.entries(contentOf(index))) data[name] = { value, flash: false };
      const id = randomUUID();
      const at = new Date().toISOString();
      held.createSession(id, { _data: data, _expire: at, _delete: false, _accessed: at, _id: id });
    };
    return { held, add };
  },
};

function expressCookie() {
  return { originalMaxAge: DAY, expires: new Date(Date.now() + DAY), httpOnly: true, path: "/" };
}
