/** Rounds over HTTP: each round gives every server the same load in turn, so that drift hits all alike. */
import { pinned } from "./commands.mjs";
import { coreMicros } from "./machine.mjs";

/** A burst in which others took more of the servers' core than this is repeated. */
const FOREIGN_LIMIT = 0.05;

/** @returns for each server, in their order, the bursts of all rounds */
export async function measureOverHttp(servers, client, which, { warmUp, rounds, milliseconds, repeats }) {
  const bursts = servers.map(() => []);
  // Real sockets make other hidden classes than those in process: the code is compiled once more.
  for (const server of servers) await burst(server, client, which, warmUp);
  for (let round = 0; round < rounds; round++) {
    const order = [...servers.keys()];
    if (round % 2 === 1) order.reverse();
    for (const index of order) {
      let best = await burst(servers[index], client, which, milliseconds);
      for (let repeat = 0; repeat < repeats && best.foreign > FOREIGN_LIMIT; repeat++) {
        const again = await burst(servers[index], client, which, milliseconds);
        if (again.foreign < best.foreign) best = again;
      }
      bursts[index].push(best);
    }
  }
  return bursts;
}

async function burst({ port, call }, client, { path, cookie, body }, milliseconds) {
  const core = coreMicros();
  const start = performance.now();
  const before = await call("cpu");
  const { requests, seconds, p99Millis } = await client.call("burst", { port, path, cookie, body, milliseconds });
  const used = (await call("cpu")) - before;
  const wall = (performance.now() - start) * 1000;
  const foreign = pinned && core !== null ? Math.max(0, coreMicros() - core - used) / wall : 0;
  return { rps: requests / seconds, cpuMicros: used / requests, p99Millis, foreign };
}
