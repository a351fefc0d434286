/** The databases that the stores need: real ones, on the client's core, for the time of the run. */
import { spawnSync } from "node:child_process";
import { CLIENT_CORE, pinned } from "./commands.mjs";

export async function startDatabases(stores) {
  // The driver itself, whose children stay on its core unless they are told otherwise.
  if (pinned) spawnSync("taskset", ["-a", "-c", "-p", String(CLIENT_CORE), String(process.pid)]);
  const started = [];
  if (stores.has("redis")) {
    const { RedisServer } = await import("../test/support/redis-server.ts");
    const server = await RedisServer.start();
    process.env.BENCH_REDIS_URL = server.url;
    started.push(server);
  }
  if (stores.has("postgres")) {
    const { startPostgres } = await import("../test/support/postgres-server.ts");
    const server = await startPostgres();
    process.env.BENCH_POSTGRES_URL = server.url;
    started.push(server);
  }
  return { stop: async () => void (await Promise.all(started.map((server) => server.stop()))) };
}
