/** What the numbers depend on. */
import { readFileSync } from "node:fs";
import { arch, availableParallelism, cpus, release, totalmem, type } from "node:os";
import { pinned, SERVER_CORE } from "./commands.mjs";

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
  const { dependencies } = JSON.parse(readFileSync(new URL("package.json", import.meta.url), "utf8"));
  const packages = Object.entries(dependencies).filter(([name]) => name !== "fastsession");
  const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
  return { node: process.version, fastsession: version, ...Object.fromEntries(packages) };
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
