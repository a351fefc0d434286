import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MemoryStore } from "fastsession";
import { sessionHandlers } from "../cases.mjs";

export const stores = ["memory", "sqlite"];

/** Our defaults. `secure: "auto"`, as the benchmark speaks no TLS. */
export async function setUp(framework, store) {
  const { fastSession } = await import(`fastsession/${framework}`);
  const middleware = fastSession({
    secretKey: "only-for-the-benchmark-0123456789abcdef",
    secure: "auto",
    store: await createStore(store),
  });
  return { middleware, handlers: sessionHandlers };
}

async function createStore(store) {
  if (store === "memory") return new MemoryStore();
  const { SqliteStore } = await import("fastsession/stores/sqlite");
  const folder = mkdtempSync(join(tmpdir(), "fastsession-bench-"));
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  return new SqliteStore(join(folder, "sessions.sqlite"));
}
