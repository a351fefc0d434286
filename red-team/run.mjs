/**
 * Attacks on a server that serves the demo's pages: `npm run red-team`, against a demo of its own, or
 * `npm run red-team -- <url> <secret>`; what the demo has no page for is attacked on a stage of its own. Each attack
 * should fail; one that succeeds says what it reached.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { attacks as cookies } from "./attacks-cookies.mjs";
import { attacks as ends } from "./attacks-ends.mjs";
import { attacks as ids } from "./attacks-ids.mjs";
import { attacks as requests } from "./attacks-requests.mjs";
import { attacks as staged } from "./attacks-stage.mjs";

export const attacks = { ...ids, ...cookies, ...ends, ...requests, ...staged };
/** A secret that the attackers know a use of: they may have other things signed under it. */
export const SECRET = "the red team's secret, of more than 32 bytes";

/** Runs all attacks. @returns for each name what it reached, `null` where it failed as it should */
export async function attackAll(target) {
  const reached = {};
  for (const [name, attack] of Object.entries(attacks)) reached[name] = await attack(target);
  return reached;
}

async function main([url, secret = SECRET]) {
  const started = [await startStage()];
  const [stage] = started;
  try {
    if (url === undefined) started.push(await startDemo());
    const reached = await attackAll({ url: started[1]?.url ?? url, secret, stage: stage.url });
    for (const [name, what] of Object.entries(reached)) {
      console.log(what === null ? `held    ${name}` : `BROKEN  ${name}: ${what}`);
    }
    if (Object.values(reached).some((what) => what !== null)) process.exitCode = 1;
  } finally {
    for (const server of started) await server.stop();
  }
}

/** Starts a program that prints its address, with the package's names leading to the source. */
async function start(program, env = {}) {
  const child = spawn(process.execPath, ["--import", "tsx", program], {
    cwd: fileURLToPath(new URL("..", import.meta.url)),
    env: { ...process.env, SESSION_SECRET: SECRET, TSX_TSCONFIG_PATH: "demo/tsconfig.json", ...env },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = new Promise((resolve) => child.once("close", resolve));
  const url = await new Promise((resolve, reject) => {
    child.stdout.on("data", (chunk) => resolve(/http:\/\/(localhost|127\.0\.0\.1):\d+/.exec(String(chunk))?.[0]));
    child.once("close", (code) => reject(new Error(`${program} ended with ${code}`)));
  });
  return {
    url,
    async stop() {
      child.kill("SIGTERM");
      await ended;
    },
  };
}

export function startStage() {
  return start("red-team/stage.ts");
}

async function startDemo() {
  const folder = mkdtempSync(join(tmpdir(), "fastsession-red-team-"));
  const demo = await start("demo/server.ts", { DATA_FOLDER: folder, PORT: "0" });
  return {
    url: demo.url,
    async stop() {
      await demo.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main(process.argv.slice(2));
