/**
 * Measures what a session costs a request: `npm run bench -- [--quick] [--framework=hono,…] [--case=c,…] [--store=…]`.
 * What is measured, and how far to believe it, stands in docs/performance.md.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { cases } from "./cases.mjs";
import { CLIENT_CORE, startChild } from "./commands.mjs";
import { machine, versions } from "./machine.mjs";
import { measureFramework } from "./measure.mjs";
import { stores } from "./peers/fastsession.mjs";
import { head, table } from "./report.mjs";

const frameworks = ["hono", "fastify", "express", "koa", "node"];

const { values } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    framework: { type: "string" },
    case: { type: "string" },
    store: { type: "string" },
  },
});

/** `quick` is for a look: too few rounds, and code too cold, to quote. */
const plan = values.quick
  ? {
      http: { warmUp: 80, rounds: 3, milliseconds: 40, repeats: 0 },
      inProcess: { rounds: 15, count: 200, warmUp: 4000 },
    }
  : {
      http: { warmUp: 400, rounds: 6, milliseconds: 200, repeats: 1 },
      inProcess: { rounds: 60, count: 250, warmUp: 5000 },
    };

function choose(name, all, nameOf = (one) => one) {
  if (values[name] === undefined) return all;
  const wanted = values[name].split(",");
  const unknown = wanted.find((one) => !all.some((known) => nameOf(known) === one));
  if (unknown !== undefined) throw new TypeError(`--${name}=${unknown}: known are ${all.map(nameOf).join(", ")}`);
  return all.filter((one) => wanted.includes(nameOf(one)));
}

const chosen = choose("case", cases, (one) => one.name);
const subjects = choose("store", stores).map((store) => ({ peer: "fastsession", store }));
const results = { machine: machine(), versions: versions(), date: new Date().toISOString(), rows: [] };
const client = startChild("client.mjs", [], CLIENT_CORE);
console.log(head(results));
try {
  for (const framework of choose("framework", frameworks)) {
    const rows = await measureFramework(framework, subjects, chosen, client, plan);
    console.log(table(rows));
    results.rows.push(...rows);
  }
} finally {
  client.stop();
}

const whole = !values.quick && results.rows.length === frameworks.length * stores.length * cases.length;
const file = new URL(`results/${whole ? "latest" : "partial"}.json`, import.meta.url);
mkdirSync(new URL(".", file), { recursive: true });
writeFileSync(file, `${JSON.stringify(results, null, 2)}\n`);
console.log(`written to bench/results/${whole ? "latest" : "partial"}.json`);
