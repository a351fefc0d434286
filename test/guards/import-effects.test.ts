import { build } from "esbuild";
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { manifest, subpaths } from "../support/manifest.ts";
import { repository } from "../support/source-files.ts";

/** Inside the repository, so that the frameworks are found. */
const cache = join(repository, ".cache");
const watcher = join(repository, "test/support/watch-imports.mjs");
let folder = "";

beforeAll(async () => {
  await mkdir(cache, { recursive: true });
  folder = await mkdtemp(join(cache, "imports-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

type Modules = readonly (readonly [name: string, url: string])[];

async function effectsOf(modules: Modules, warmUp: readonly string[] = []): Promise<unknown> {
  const { stdout } = await promisify(execFile)(process.execPath, [watcher, JSON.stringify({ warmUp, modules })]);
  return JSON.parse(stdout);
}

test("importing and constructing starts no timer, draws no random number and does no I/O", async () => {
  const entryPoints = Object.fromEntries(subpaths.map(([, file]) => [file.replace(/\.ts$/, ""), `./src/${file}`]));
  await build({
    entryPoints,
    absWorkingDir: repository,
    outdir: folder,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node20",
    packages: "external",
  });
  const modules = subpaths.map(([name, file]) => {
    return [name, pathToFileURL(join(folder, file.replace(/\.ts$/, ".mjs"))).href] as const;
  });
  expect(await effectsOf(modules, Object.keys(manifest.peerDependencies))).toEqual([]);
});

test.for([
  ["setTimeout(() => {}, 10)", "setTimeout"],
  ['import { randomBytes } from "node:crypto"; randomBytes(8)', "crypto.randomBytes"],
  ["crypto.getRandomValues(new Uint8Array(8))", "webcrypto.getRandomValues"],
  ['process.on("exit", () => {})', "process.on"],
  ['import { writeFileSync } from "node:fs"; writeFileSync("/dev/null", "")', "fs.writeFileSync"],
] as const)("the watch sees %s", async ([code, effect]) => {
  const url = `data:text/javascript,${encodeURIComponent(code)}`;
  expect(await effectsOf([["sample", url]])).toContain(`import sample: ${effect}`);
});
