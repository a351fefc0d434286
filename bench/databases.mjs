/** The databases that the stores need: real ones, on the client's core, for the time of the run. */
import { spawnSync } from "node:child_process";
import { CLIENT_CORE, pinned } from "./commands.mjs";

export async function startDatabases(stores) {
  const started = [];
  if (stores.has("redis")) {
    const { startRedis } = await import("../test/support/redis-server.ts");
    const server = await startRedis();
    process.env.BENCH_REDIS_URL = server.url;
    started.push(server);
  }
  if (stores.has("postgres")) {
    const { startPostgres } = await import("../test/support/postgres-server.ts");
    const server = await startPostgres();
    process.env.BENCH_POSTGRES_URL = server.url;
    started.push(server);
  }
  if (pinned) for (const { pid } of started) spawnSync("taskset", ["-a", "-c", "-p", String(CLIENT_CORE), String(pid)]);
  return { stop: async () => void (await Promise.all(started.map((server) => server.stop()))) };
}
