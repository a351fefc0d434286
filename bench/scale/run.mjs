/** What sessions cost as they grow in number and size: `npm run bench:scale`. Writes bench/results/scale.json. */
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { pinned, SERVER_CORE } from "../commands.mjs";
import { machine, versions } from "../machine.mjs";
import { redrawScale } from "../page.mjs";

const kinds = ["fastsession", "Map", "express-session", "memorystore", "hono-sessions"];
/** @type {any} */
const results = {
  machine: machine(),
  versions: versions(),
  date: new Date().toISOString(),
  stored: [],
  expiry: [],
  shapes: [],
};

function run(script, ...args) {
  const node = [
    "--expose-gc",
    "--max-old-space-size=8000",
    fileURLToPath(new URL(script, import.meta.url)),
    ...args.map(String),
  ];
  const [command, given] = pinned
    ? ["taskset", ["-c", String(SERVER_CORE), process.execPath, ...node]]
    : [process.execPath, node];
  const { status, stdout, stderr } = spawnSync(command, given, {
    encoding: "utf8",
    env: { ...process.env, NODE_ENV: "production" },
  });
  if (status !== 0) throw new Error(`${script} ${args.join(" ")}: ${stderr}`);
  return JSON.parse(stdout.slice(stdout.search(/[[{]/)));
}

for (const kind of kinds) {
  for (const sessions of [1000, 10_000, 100_000, 1_000_000]) {
    const row = { kind, sessions, ...run("bytes.mjs", kind, sessions) };
    delete row.held;
    console.log(
      `${kind}, ${sessions}: ${row.bytes} B, ${row.createMicros.toFixed(2)} µs, longest ${row.longestMillis.toFixed(1)} ms`,
    );
    results.stored.push(row);
  }
}
for (const kind of ["Map", "fastsession"]) {
  const row = { kind, sessions: 1_000_000, ...run("expiry.mjs", kind, 1_000_000) };
  console.log(`${kind}: a million expire: ${JSON.stringify(row)}`);
  results.expiry.push(row);
}
results.shapes = run("shapes.mjs");
for (const { what, micros } of results.shapes) console.log(`${what}: ${micros} µs`);
writeFileSync(new URL("../results/scale.json", import.meta.url), `${JSON.stringify(results, null, 2)}\n`);
redrawScale(results);
