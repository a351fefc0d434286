/** Measures one framework: its servers, in all cases, over HTTP and in process. */
import { SERVER_CORE, startChild } from "./commands.mjs";
import { measureOverHttp } from "./over-http.mjs";
import { row } from "./rows.mjs";

/** What a subject is compared with. */
const BASELINES = ["bare", "empty"];

/**
 * @param subjects of `{ peer, store }`
 * @returns rows of the results, one for each subject and case
 */
export async function measureFramework(framework, subjects, chosen, client, plan) {
  const servers = [];
  try {
    for (const { peer, store } of subjects) servers.push(await start(framework, peer, store, client));
    for (const peer of BASELINES) {
      const server = await start(framework, peer, null, client);
      servers.push(server);
      // What the baselines receive is as long as what the first subject does.
      await receive(server, servers[0].cookies, client);
    }
    const rows = [];
    for (const which of chosen) {
      // First, since it also warms the case's code up.
      const batches = await measureInProcess(servers, which, plan.inProcess);
      const bursts = await measureOverHttp(servers, client, which, plan.http);
      for (const [index, subject] of subjects.entries()) {
        await check(servers[index], which);
        const of = (rounds) => ({ subject: rounds[index], bare: rounds.at(-2), empty: rounds.at(-1) });
        rows.push(row({ framework, ...subject, case: which.name }, of(bursts), of(batches)));
      }
    }
    return rows;
  } finally {
    for (const server of servers) server.stop();
  }
}

async function start(framework, peer, store, client) {
  const child = startChild("server.mjs", [framework, peer, ...(store === null ? [] : [store])], SERVER_CORE);
  const server = { ...child, port: await child.call("listen"), cookies: [] };
  if (store !== null) await receive(server, await child.call("seed"), client);
  return server;
}

async function receive(server, cookies, client) {
  server.cookies = cookies;
  await server.call("take", cookies);
  await client.call("prepare", { port: server.port, cookies });
}

/** Batches in turn, each round in the other direction. @returns CPU µs a request, for each server */
async function measureInProcess(servers, { name }, { rounds, count, warmUp }) {
  const batches = servers.map(() => []);
  for (const server of servers) await server.call("batch", { name, count: warmUp });
  for (let round = 0; round < rounds; round++) {
    const order = [...servers.keys()];
    if (round % 2 === 1) order.reverse();
    for (const index of order) batches[index].push(await servers[index].call("batch", { name, count }));
  }
  return batches;
}

/** A session that is not there would be fast: all that the cases did must show. */
async function check({ port, cookies }, { name, path, cookie: returning }) {
  const get = (to, cookie) =>
    fetch(`http://127.0.0.1:${port}${to}`, { headers: cookie === undefined ? {} : { cookie } });
  const { headers } = await get(path, returning ? cookies[0] : undefined);
  const cookie = headers.getSetCookie()[0];
  if ((name === "e") !== (cookie !== undefined)) throw new Error(`case ${name}: cookie ${cookie}`);
  if ((name === "a" || name === "b") && headers.has("vary")) throw new Error(`case ${name} touched the session`);
  if (name === "e" && (await (await get("/counter", cookie.split(";")[0])).text()) !== "0") {
    throw new Error("case e: the new session is not found");
  }
  if (name === "d" && !(Number(await (await get("/counter", cookies[0])).text()) > 0)) {
    throw new Error("case d: nothing was written");
  }
}
