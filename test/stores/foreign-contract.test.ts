import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import expressSession, { MemoryStore } from "express-session";
import { Keyv } from "keyv";
import memorystore from "memorystore";
import { createStorage } from "unstorage";
import fsDriver from "unstorage/drivers/fs-lite";
import { afterAll, describe, test } from "vitest";
import { fromExpressStore } from "../../src/stores/express-store.ts";
import { fromKeyv } from "../../src/stores/keyv.ts";
import { fromUnstorage } from "../../src/stores/unstorage.ts";
import { type RegisterTest, storeContract } from "../../src/testing/store-contract.ts";

const folder = mkdtempSync(join(tmpdir(), "fastsession-foreign-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let count = 0;

/** What is swept, the store does by itself, and does not say how much. */
const registered: RegisterTest = (name, run) => name.startsWith("sweep ") || test(name, run);

const STORES = [
  ["the MemoryStore of express-session", () => fromExpressStore(new MemoryStore())],
  ["memorystore", () => fromExpressStore(new (memorystore(expressSession))({ checkPeriod: 0 }))],
  ["unstorage in memory", () => fromUnstorage(createStorage())],
  [
    "unstorage in files",
    () => fromUnstorage(createStorage({ driver: fsDriver({ base: join(folder, `${(count += 1)}`) }) })),
  ],
  ["Keyv over a Map", () => fromKeyv(new Keyv({ throwOnErrors: true }))],
] as const;

describe.each(STORES)("%s", (_, createStore) => {
  storeContract({ test: registered, createStore });
});
