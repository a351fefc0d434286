/** `npm test`: every check of the project, the quick ones first. Stops at the first that fails. */
import { spawn } from "node:child_process";

const steps = ["format:check", "build", "lint", "typecheck", "test:all"];
const closingLine = /^\d+ passed, \d+ failed, \d+ skipped$/m;

/** Runs one script of package.json, shows what it prints and resolves with its exit code and that output. */
function run(script) {
  const child = spawn("npm", ["run", "--silent", script], {
    stdio: ["ignore", "pipe", "inherit"],
    shell: process.platform === "win32",
    env: process.stdout.isTTY ? { ...process.env, FORCE_COLOR: "1" } : process.env,
  });
  let output = "";
  child.stdout.setEncoding("utf8");
  child.stdout.on("data", (text) => {
    output += text;
    process.stdout.write(text);
  });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve({ code: code ?? 1, output }));
  });
}

const seconds = (since) => `${((performance.now() - since) / 1000).toFixed(1)} s`;
const begin = performance.now();
let summary = "no test ran";

for (const script of steps) {
  console.log(`\n> ${script}`);
  const start = performance.now();
  const { code, output } = await run(script);
  console.log(`> ${script}: ${code === 0 ? "ok" : "FAILED"} in ${seconds(start)}`);
  summary = closingLine.exec(output)?.[0] ?? summary;
  if (code === 0) continue;
  process.exitCode = code;
  break;
}

console.log(`\n> ${process.exitCode ? "stopped" : "all"} after ${seconds(begin)}`);
console.log(summary);
