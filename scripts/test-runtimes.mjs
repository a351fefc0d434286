/**
 * `npm run test:runtimes`: builds once, then runs all tests on each Node that `test/runtimes` brings from npm.
 *
 * Bun and Deno have to be installed by hand: `bun --bun node_modules/.bin/vitest run --project fast` and
 * `deno run -A npm:vitest run --project fast`.
 */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../", import.meta.url));
const modules = join(root, "test/runtimes/node_modules");

/** Runs a program, shows what it prints and resolves with its exit code. */
function run(program, parameters, env = process.env) {
  const child = spawn(program, parameters, { cwd: root, env, stdio: "inherit", shell: process.platform === "win32" });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve(code ?? 1));
  });
}

async function mustRun(program, ...parameters) {
  const code = await run(program, parameters);
  if (code !== 0) process.exit(code);
}

await mustRun("npm", "ci", "--prefix", "test/runtimes");
await mustRun("npm", "run", "build");

const results = [];
for (const name of ["node22", "node24", "node26"]) {
  const bin = join(modules, name, "bin");
  if (!existsSync(bin))
    throw new Error(`${name} comes from npm for Linux on x64 only; use a version manager elsewhere`);
  console.log(`\n> tests on ${name}`);
  const env = { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH}` };
  const code = await run(join(bin, "node"), ["node_modules/vitest/vitest.mjs", "run"], env);
  results.push(`${name}: ${code === 0 ? "passed" : "FAILED"}`);
  if (code !== 0) process.exitCode = code;
}
console.log(`\n${results.join("\n")}`);
