/**
 * Measures what a session costs a request: `npm run bench` (key cases, some five minutes) or `npm run bench:full`, both
 * with `-- [--quick] [--framework=hono,…] [--case=c,…] [--store=…] [--peer=…]`.
 * What is measured, and how far to believe it, stands in docs/performance.md.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { cases } from "./cases.mjs";
import { CLIENT_CORE, startChild } from "./commands.mjs";
import { startDatabases } from "./databases.mjs";
import { machine, versions } from "./machine.mjs";
import { measureFramework } from "./measure.mjs";
import { redraw } from "./page.mjs";
import { head, table } from "./report.mjs";
import { frameworks, peers, stores, subjectsOf } from "./subjects.mjs";

const { values } = parseArgs({
  options: {
    full: { type: "boolean", default: false },
    quick: { type: "boolean", default: false },
    framework: { type: "string" },
    case: { type: "string" },
    store: { type: "string" },
    peer: { type: "string" },
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
      inProcess: { rounds: 40, count: 250, warmUp: 5000 },
    };

/** What an option asks for, or `null` without it. */
function choice(name, all) {
  if (values[name] === undefined) return null;
  const wanted = values[name].split(",");
  const unknown = wanted.find((one) => !all.includes(one));
  if (unknown !== undefined) throw new TypeError(`--${name}=${unknown}: known are ${all.join(", ")}`);
  return wanted;
}

const wanted = {
  frameworks: choice("framework", frameworks) ?? frameworks,
  cases: choice(
    "case",
    cases.map(({ name }) => name),
  ),
  choose: { full: values.full, stores: choice("store", stores), peers: choice("peer", peers) },
};
const chosen = cases.filter(({ name }) => wanted.cases === null || wanted.cases.includes(name));
const whole = ["framework", "case", "store", "peer"].every((name) => values[name] === undefined) && !values.quick;
const work = wanted.frameworks
  .map((framework) => ({ framework, subjects: subjectsOf(framework, wanted.choose) }))
  .filter(({ subjects }) => subjects.length > 0);

const results = { machine: machine(), versions: versions(), date: new Date().toISOString(), rows: [] };
const databases = await startDatabases(new Set(work.flatMap(({ subjects }) => subjects.map(({ store }) => store))));
const client = startChild("client.mjs", [], CLIENT_CORE);
console.log(head(results));
try {
  for (const { framework, subjects } of work) {
    const rows = await measureFramework(framework, subjects, chosen, client, plan);
    console.log(table(rows));
    results.rows.push(...rows);
  }
} finally {
  client.stop();
  await databases.stop();
}

const file = new URL(`results/${whole ? "latest" : "partial"}.json`, import.meta.url);
mkdirSync(new URL(".", file), { recursive: true });
writeFileSync(file, `${JSON.stringify(results, null, 2)}\n`);
if (whole) redraw(results);
console.log(`written to bench/results/${whole ? "latest" : "partial"}.json${whole ? " and docs/performance.md" : ""}`);
