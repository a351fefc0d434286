/** Measures one framework: its servers, in all cases, over HTTP and in process. */
import { SERVER_CORE, startChild } from "./commands.mjs";
import { compare } from "./compare.mjs";
import { measureOverHttp } from "./over-http.mjs";
import { row } from "./rows.mjs";
import { isOurs, isServerSide } from "./subjects.mjs";

/** What a subject is compared with. */
const BASELINES = ["bare", "empty"];

/**
 * @param subjects of `{ peer, store, cases }`
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
      const takingPart = (one) => (one.cases ?? [which.name]).includes(which.name);
      const measured = subjects.filter(takingPart);
      const running = servers.filter((_, index) => index >= subjects.length || takingPart(subjects[index]));
      // In process first, since it also warms the case's code up.
      const inProcess = [...measured.keys()].filter((index) => isOurs(measured[index].peer));
      const batches = await measureInProcess(running, [...inProcess, -2, -1], which, plan.inProcess);
      const bursts = await measureOverHttp(running, client, which, plan.http);
      for (const [index, subject] of measured.entries()) {
        await check(running[index], which, subject);
        const of = (rounds, at) => ({ subject: rounds.at(at), bare: rounds.at(-2), empty: rounds.at(-1) });
        const identity = { framework, peer: subject.peer, store: subject.store, case: which.name };
        const own = inProcess.indexOf(index);
        rows.push(row(identity, of(bursts, index), own === -1 ? null : of(batches, own)));
      }
      compare(rows.slice(-measured.length));
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

/** Batches in turn, each round in the other direction. @returns CPU µs a request, for each server of `which` */
async function measureInProcess(servers, which, { name }, { rounds, count, warmUp }) {
  const chosen = which.map((index) => servers.at(index));
  const batches = chosen.map(() => []);
  for (const server of servers) await server.call("batch", { name, count: chosen.includes(server) ? warmUp : count });
  for (let round = 0; round < rounds; round++) {
    const order = [...chosen.keys()];
    if (round % 2 === 1) order.reverse();
    for (const index of order) batches[index].push(await chosen[index].call("batch", { name, count }));
  }
  return batches;
}

/** A session that is not there would be fast: all that the cases did must show. */
async function check({ port, cookies }, { name, path, cookie: returning }, { peer, store }) {
  const get = (to, cookie) =>
    fetch(`http://127.0.0.1:${port}${to}`, { headers: cookie === undefined ? {} : { cookie } });
  const { headers } = await get(path, returning ? cookies[0] : undefined);
  const set = headers.getSetCookie().map((line) => line.split(";", 1)[0]);
  if (name === "e") {
    if (set.length === 0) throw new Error(`${peer}: case e sent no cookie`);
    if ((await (await get("/counter", set.join("; "))).text()) !== "0") {
      throw new Error(`${peer}: case e: the new session is not found`);
    }
  }
  if (name === "d" && isServerSide(store) && !(Number(await (await get("/counter", cookies[0])).text()) > 0)) {
    throw new Error(`${peer}: case d: nothing was written`);
  }
  if (!isOurs(peer) || name === "e") return;
  if (set.length > 0) throw new Error(`case ${name} sent a cookie`);
  // A remote store is read before the handler.
  if ((name === "a" || name === "b") && headers.has("vary")) throw new Error(`case ${name} touched the session`);
}
