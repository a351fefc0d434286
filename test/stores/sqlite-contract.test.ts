import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "vitest";
import { SqliteStore } from "../../src/stores/sqlite.ts";
import { storeContract } from "../../src/testing/store-contract.ts";

storeContract({
  test,
  createStore: () => new SqliteStore(":memory:"),
  parallelStores: () => {
    const folder = mkdtempSync(join(tmpdir(), "fastsession-"));
    const path = join(folder, "sessions.sqlite");
    const stores = [new SqliteStore(path), new SqliteStore(path)] as const;
    return {
      stores,
      close: async () => {
        for (const store of stores) await store.close();
        rmSync(folder, { recursive: true });
      },
    };
  },
});
