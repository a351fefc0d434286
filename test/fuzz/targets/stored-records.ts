import { isPromise } from "../../../src/core/awaitable.ts";
import { FastSessionError } from "../../../src/core/errors.ts";
import { sealSuccessor } from "../../../src/core/sealed-id.ts";
import type { StoredSession } from "../../../src/core/session-record.ts";
import type { SessionStore } from "../../../src/core/session-store.ts";
import { createSessions } from "../../../src/create-sessions.ts";
import { fromExpressStore } from "../../../src/stores/express-store.ts";
import { toStored as fromMysql } from "../../../src/stores/mysql-rows.ts";
import { toStored as fromPostgres } from "../../../src/stores/postgres-rows.ts";
import { toStored as fromRedis } from "../../../src/stores/redis-answers.ts";
import { fromSimpleStore } from "../../../src/stores/simple.ts";
import { MemoryStore } from "../../../src/stores/memory.ts";
import { toStored as fromSqlite } from "../../../src/stores/sqlite-rows.ts";
import { Visit } from "../../support/browser.ts";
import { bend, bendValue } from "../random.ts";
import { type Target, unpolluted } from "../target.ts";

type Kind = "redis" | "mysql" | "postgres" | "sqlite" | "simple" | "express" | "session store";
interface Answer {
  readonly from: Kind;
  /** What the database answers, as JSON: a reply, a row, an object. */
  readonly json: string;
}

const now = Date.parse("2026-11-23T12:00:00Z");
const ID = "1AAAfuzzfuzzfuzzfuzzfuzzfuzzfuzzfuzz";
const later = now + 60_000;
const sealedId = sealSuccessor(ID, { id: ID.replace("AAA", "BBB"), until: later });
let row: unknown;

/** Real parsers in front of a database that answers whatever the case says; what is written goes nowhere. */
function answering(load: (row: never) => unknown): SessionStore {
  const { capabilities } = new MemoryStore();
  return {
    capabilities: { ...capabilities, feed: null, userIndex: false },
    load: () => load(row as never) as StoredSession,
    create: () => ({ ok: true, evicted: [] }),
    commit: () => ({ ok: true, version: 2 }),
    renew: () => true,
    rotate: () => ({ ok: true, version: 2, evicted: [] }),
    destroy: () => true,
  };
}

const objects = {
  hasSessionId: () => true,
  createStore: () => undefined,
  getStore: () => row as Record<string, unknown>,
  saveStore: () => undefined,
  gc: () => undefined,
};
const express = {
  get: (_: string, callback: (error: unknown, session: unknown) => void) => callback(null, row),
  set: (_: string, __: never, callback: () => void) => callback(),
  destroy: (_: string, callback: () => void) => callback(),
};
const stores: Readonly<Record<Kind, SessionStore>> = {
  redis: answering((reply) => fromRedis(reply, now)),
  mysql: answering((columns) => fromMysql(columns, now)),
  postgres: answering((rows) => fromPostgres(rows, now)),
  sqlite: answering((columns) => fromSqlite(columns, now)),
  simple: fromSimpleStore(objects),
  express: fromExpressStore(express, { keys: "id" }),
  "session store": answering((record) => record),
};
const sessions = Object.fromEntries(
  Object.entries(stores).map(([from, store]) => [
    from,
    createSessions({ secretKey: "a secret of more than thirty-two bytes", store, logLevel: "silent", now: () => now }),
  ]),
);
const cookie = `sid=${sessions["simple"]?.http.cookie.format.write(ID, now)}`;

const fields = { n: "1", list: '[{"a":1}]', "odd\\name": '"\u65e5"' };
const binding = { userId: "ann", boundAt: now, generation: 0, metadata: { device: "a phone" }, maxAge: null };
const facts = { version: 1, createdAt: now, lastUsedAt: now, rotatedAt: now, expiresAt: later, handle: "h" };
const alias = { kind: "alias", to: "key", sealedId, expiresAt: later };
const tombstone = { kind: "tombstone", reason: "revoked", expiresAt: later };
const letters = ["v", "1", "c", `${now}`, "l", `${now}`, "r", `${now}`, "e", `${later}`, "h", "h"];
const bound = ["u", "u1:ann", "b", `${now}`, "g", "0", "m", '{"device":"a phone"}'];
const columns = ["session", later, 1, now, now, now, "h", "ann", now, 0, '{"device":"a phone"}', null];
const mark = ["alias", later, 0, 0, 0, 0, "", null, null, 0, null, null, "key", sealedId];

const answers: readonly (readonly [Kind, unknown])[] = [
  ["redis", [...letters, ...bound, ":n", "1", ":list", "[1]", ':\x1e"\\u0000"', '\x1e"1"']],
  ["redis", ["a", "key", "i", sealedId, "e", `${later}`]],
  ["redis", ["t", "revoked", "e", `${later}`]],
  ["mysql", [...columns, null, null, 0, JSON.stringify(fields)]],
  ["mysql", [...mark, 0, null]],
  [
    "postgres",
    [
      [null, JSON.stringify([...columns, null, null, false])],
      ["n", "1"],
      ["list", "[1]"],
    ],
  ],
  ["postgres", [[null, JSON.stringify([...mark, false])]]],
  ["sqlite", [...columns, null, null, 0, "n\x1f1\x1flist\x1f[1]"]],
  ["sqlite", [...mark, 0, null]],
  ["simple", { n: 1, list: [1], __fastsession__: { kind: "session", ...facts, binding, texts: { n: "1.0" } } }],
  ["simple", { n: 1 }],
  ["simple", { __fastsession__: alias }],
  [
    "express",
    { n: 1, cookie: { originalMaxAge: null, expires: null }, __fastsession__: { kind: "session", ...facts, binding } },
  ],
  ["express", { cookie: { originalMaxAge: 1000 }, user: { id: 7 } }],
  ["express", { __fastsession__: tombstone }],
  ["session store", { kind: "session", fields, ...facts, binding }],
  ["session store", alias],
  ["session store", tombstone],
];

/** What the database behind each store answers at a load. */
export const storedRecords: Target<Answer> = {
  name: "stored-records",
  seeds: answers.map(([from, value]) => ({ from, json: JSON.stringify(value) })),
  bend(random, { from, json }) {
    const value = JSON.parse(json) as unknown;
    if (random.oneIn(3)) {
      const bent = bend(
        random,
        json,
        answers.map(([, other]) => JSON.stringify(other)),
      );
      if (isJson(bent)) return { from, json: bent };
    }
    return { from, json: JSON.stringify(bendValue(random, value, Object.values(alias))) };
  },
  async check({ from, json }) {
    row = JSON.parse(json);
    const visit = new Visit(sessions[from] as (typeof sessions)[string] & object, cookie);
    try {
      const ready = visit.exchange.prepare();
      if (isPromise(ready)) await ready;
      const { session } = visit;
      const { info } = session;
      session.get("n");
      JSON.stringify(session);
      for (const name of Object.keys(session.data)) session.get(name);
      if (Object.hasOwn({ ...session }, "__proto__")) throw new Error("hands out the key __proto__");
      if (info.cause === "resumed" && !(Number.isFinite(info.expiresAt) && (info.expiresAt as number) > now)) {
        throw new Error("a session without an end");
      }
      if (info.isSaved) session.set("m", [info.metadata["device"], info.handle, info.userId, info.isFresh(1)].length);
      await visit.end();
      unpolluted();
      return info.cause;
    } catch (error) {
      if (error instanceof FastSessionError && error.status === 503) return error.code;
      throw error;
    }
  },
};

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
