/** Installs the peers, where they are not there yet. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const read = (name) => {
  try {
    return readFileSync(new URL(name, import.meta.url), "utf8");
  } catch {
    return null;
  }
};
// npm leaves a copy of what it installed, without the root's own entry.
const installed = read("node_modules/.package-lock.json");
const wanted = JSON.parse(read("package-lock.json")).packages;
const same =
  installed !== null &&
  Object.entries(JSON.parse(installed).packages).every(([path, { version }]) => wanted[path]?.version === version);
if (!same) {
  const { status } = spawnSync("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"], {
    cwd: fileURLToPath(new URL(".", import.meta.url)),
    stdio: "inherit",
  });
  if (status !== 0) process.exit(status ?? 1);
}
