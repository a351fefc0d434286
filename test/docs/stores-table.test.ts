import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Cluster, Redis } from "ioredis";
import Keyv from "keyv";
import { createPool } from "mysql2/promise";
import pg from "pg";
import { createStorage } from "unstorage";
import { describe, expect, test } from "vitest";
import type { SessionStore, StoreCapabilities } from "../../src/core/session-store.ts";
import { cached } from "../../src/stores/cached.ts";
import { fromExpressStore } from "../../src/stores/express-store.ts";
import { fromKeyv } from "../../src/stores/keyv.ts";
import { MemoryStore } from "../../src/stores/memory.ts";
import { MysqlStore } from "../../src/stores/mysql.ts";
import { PostgresStore } from "../../src/stores/postgres.ts";
import { RedisStore, type RedisStoreOptions } from "../../src/stores/redis.ts";
import { fromSimpleStore } from "../../src/stores/simple.ts";
import { SqliteStore } from "../../src/stores/sqlite.ts";
import { fromUnstorage } from "../../src/stores/unstorage.ts";
import { repository } from "../support/source-files.ts";
import { namedTests } from "./checklist.ts";
import { documentAt } from "./markdown.ts";
import { missingTests } from "./test-names.ts";

/** A store as it is made without options, and by the option that a cell names. Constructing does no I/O. */
type Made = Readonly<Record<string, readonly SessionStore[]>>;

const lazy = { lazyConnect: true } as const;
const single = new Redis(lazy);
const cluster = new Cluster([{ host: "127.0.0.1", port: 1 }], lazy);
const pool = new pg.Pool();
const changes = { announceChanges: true } as const;

const redis = (client: Redis | Cluster, options: RedisStoreOptions): Made => ({
  "": [new RedisStore(client, options)],
  announceChanges: [new RedisStore(client, { ...options, ...changes })],
});
const nothing = (): undefined => undefined;
const express = { get: nothing, set: nothing, destroy: nothing };
const wrapped = (options: { readonly keys?: "id"; readonly consistency?: "eventual" }): readonly SessionStore[] => [
  fromExpressStore(express, options),
  fromUnstorage(createStorage(), options),
  fromKeyv(new Keyv({ throwOnErrors: true }), options),
];
const simple = {
  hasSessionId: () => false,
  createStore: () => undefined,
  getStore: () => null,
  saveStore: () => undefined,
  gc: () => undefined,
};

const stores: Readonly<Record<string, Made>> = {
  memory: { "": [new MemoryStore()] },
  SQLite: { "": [new SqliteStore("never-opened.sqlite")], '":memory:"': [new SqliteStore(":memory:")] },
  Redis: redis(single, {}),
  "Redis with `durability`": redis(single, { durability: { replicas: 1, milliseconds: 500 } }),
  "Redis Cluster": redis(cluster, {}),
  PostgreSQL: {
    "": [new PostgresStore(pool)],
    listen: [new PostgresStore(pool, { listen: true })],
    announceChanges: [new PostgresStore(pool, { listen: true, ...changes })],
  },
  MySQL: { "": [new MysqlStore(createPool({}))] },
  "`SimpleStore`": { "": [fromSimpleStore(simple)] },
  wrappers: { "": wrapped({}), keys: wrapped({ keys: "id" }), consistency: wrapped({ consistency: "eventual" }) },
  "`cached`": { "": [cached(new RedisStore(single, changes))] },
};

const page = documentAt("docs/stores.md");
const rows = page.table("The stores there are");
const columns = page.rows.find(({ heading }) => heading === "The stores there are")?.cells.slice(1) ?? [];
const CAPABILITY = /\(`(\w+)`\)$/;
const declaring = rows.filter(([guarantee]) => CAPABILITY.test(guarantee as string));
const promising = rows.filter((row) => !declaring.includes(row));
const cells = promising.flatMap(([guarantee = "", ...texts]) =>
  texts.map((text, at) => ({ guarantee, store: columns[at] as string, text })),
);

interface Proof {
  readonly guarantee: string;
  readonly stores: readonly string[];
  readonly tests: ReturnType<typeof namedTests>;
}
const proofs: readonly Proof[] = page.table("Where each is proved").map(([guarantee = "", who = "", named = ""]) => ({
  guarantee,
  stores: who === "all" ? columns : who.split(", "),
  tests: namedTests(named),
}));

/** Whether something is promised, of which a test is due. Where a sign says so, it is the server's own documentation. */
function promises(text: string): boolean {
  return text.split("; ").some((part) => !/^(–|no\b|none$|one$|as )/.test(part) && !part.endsWith("°"));
}

function wordFor(value: StoreCapabilities[keyof StoreCapabilities]): string {
  if (value === null) return "none";
  return typeof value === "string" ? value : value === true ? "yes" : "no";
}

describe("the table of guarantees in docs/stores.md", () => {
  test("has a column for each store", () => {
    expect(columns).toEqual(Object.keys(stores));
  });

  test("has a row for every capability", () => {
    const words = declaring.map(([guarantee]) => CAPABILITY.exec(guarantee as string)?.[1]);
    const declared = new Set(Object.values(stores).flatMap((made) => Object.keys(made[""]?.[0]?.capabilities ?? {})));
    expect(words.toSorted((a = "", b = "") => a.localeCompare(b))).toEqual(
      [...declared].filter((name) => name !== "limits").toSorted((a, b) => a.localeCompare(b)),
    );
  });

  test.each(Object.entries(stores))(
    "says of %s what it declares, without options and with those named",
    (name, made) => {
      const wrong = declaring.flatMap((row) => {
        const capability = CAPABILITY.exec(row[0] as string)?.[1] as keyof StoreCapabilities;
        const cell = row[columns.indexOf(name) + 1] as string;
        return cell.split("; ").flatMap((part) => {
          const [, word, option = ""] = /^(\w+)(?: with `(.+)`)?$/.exec(part) ?? [];
          const found = (made[option] ?? []).map(({ capabilities }) => wordFor(capabilities[capability]));
          return found.length > 0 && found.every((one) => one === word)
            ? []
            : [`${capability}: ${part}: ${found.join()}`];
        });
      });
      expect(wrong).toEqual([]);
    },
  );

  test("names a test for each further promise", () => {
    const unproved = cells.filter(
      ({ guarantee, store, text }) =>
        promises(text) && !proofs.some((proof) => proof.guarantee === guarantee && proof.stores.includes(store)),
    );
    expect(unproved).toEqual([]);
  });

  test("names no row, store or test that there is not", () => {
    const wrong = proofs.flatMap(({ guarantee, stores: named, tests }) => [
      ...(promising.some((row) => row[0] === guarantee) ? [] : [guarantee]),
      ...named.filter((name) => !columns.includes(name)),
      ...(tests.length > 0 ? [] : [`${guarantee}: no test`]),
      ...missingTests(tests),
    ]);
    expect(wrong).toEqual([]);
  });

  test("names the tests that run the contract, one for each store but a mere option", () => {
    const files = page.links
      .map(({ target }) => page.resolve(target).file)
      .filter((file) => /^test.*\.test\.ts$/.test(file));
    const running = [...new Set(files)].filter((file) =>
      /\bstoreContract\(/.test(readFileSync(join(repository, file), "utf8")),
    );
    expect(running).toHaveLength(columns.length - 1);
  });
});

test("the calls of a request in docs/sizing.md are counted by tests", () => {
  const calls = documentAt("docs/sizing.md").table("Calls of a request");
  const tests = calls.map(([, , named = ""]) => namedTests(named));
  expect(tests.length).toBeGreaterThan(5);
  expect(tests.filter((row) => row.length === 0)).toEqual([]);
  expect(missingTests(tests.flat())).toEqual([]);
});
