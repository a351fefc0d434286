/** What the numbers depend on. */
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { arch, availableParallelism, cpus, release, totalmem, type } from "node:os";
import { pinned, SERVER_CORE } from "./commands.mjs";

const require = createRequire(import.meta.url);

export function machine() {
  return {
    cpu: cpus()[0]?.model ?? arch(),
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${type()} ${release().split(/[^\d.]/)[0]}`,
    pinned,
  };
}

export function versions() {
  const packages = ["fastsession", "express", "fastify", "hono", "@hono/node-server", "koa", "libsql"];
  return { node: process.version, ...Object.fromEntries(packages.map((name) => [name, versionOf(name)])) };
}

function versionOf(name) {
  // Not `require(name + "/package.json")`, which many packages do not export.
  const folders = name === "fastsession" ? [] : require.resolve.paths(name);
  const files = [new URL("../package.json", import.meta.url), ...folders.map((path) => `${path}/${name}/package.json`)];
  const manifests = files.filter((file) => existsSync(file)).map((file) => JSON.parse(readFileSync(file, "utf8")));
  return manifests.find((manifest) => manifest.name === name)?.version ?? null;
}

/** µs that the servers' core has worked so far, for anybody; `null` where the system does not say. */
export function coreMicros() {
  try {
    const line = readFileSync("/proc/stat", "utf8")
      .split("\n")
      .find((text) => text.startsWith(`cpu${SERVER_CORE} `));
    const [user, nice, system] = line.split(" ").slice(1).map(Number);
    // In ticks of 10 ms.
    return (user + nice + system) * 10_000;
  } catch {
    return null;
  }
}
