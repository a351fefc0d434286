/** One case in process for ten seconds, for a profiler: `node --cpu-prof bench/profile.mjs <case> [framework] [peer]`. */
import { cases } from "./cases.mjs";
import { batch, exchange } from "./in-process.mjs";

const [name, framework = "node", peer = "fastsession"] = process.argv.slice(2);
const which = cases.find((one) => one.name === name);
const { serve } = await import(`./frameworks/${framework}.mjs`);
const { setUp } = await import(`./peers/${peer.replace("@", "").replace("/", "-")}.mjs`);
const server = await serve(await setUp(framework, "memory"));
const cookies = [];
while (cookies.length < 1000) cookies.push(/^set-cookie: ([^;\r]+)/im.exec(await exchange(server, "/create"))?.[1]);
const micros = [];
for (const end = Date.now() + 10_000; Date.now() < end;) micros.push(await batch(server, which, cookies, 1000));
micros.sort((one, other) => one - other);
console.log(`${framework}, ${peer}, case ${name}: ${micros[micros.length >> 1].toFixed(2)} µs CPU a request`);
process.exit(0);
