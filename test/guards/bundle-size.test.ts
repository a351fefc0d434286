import { build } from "esbuild";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { repository } from "../support/source-files.ts";

/** What a bundler ships for one import line, minified. Packages and modules of the runtime stay outside. */
async function bundledSize(importLine: string): Promise<{ bytes: number; gzipped: number }> {
  const { outputFiles } = await build({
    stdin: { contents: importLine, resolveDir: repository, loader: "ts" },
    bundle: true,
    minify: true,
    write: false,
    format: "esm",
    platform: "node",
    target: "node20",
    packages: "external",
  });
  const code = outputFiles[0]?.contents ?? new Uint8Array();
  return { bytes: code.length, gzipped: gzipSync(code, { level: 9 }).length };
}

test.for([
  ['export { fastSession } from "./src/adapters/hono.ts"', 38 * 1024],
  ['export { createSessions } from "./src/index.ts"', 38 * 1024],
  ['export { TimedSignatureSerializer } from "./src/index.ts"', 4 * 1024],
] as const)("%s stays below %i bytes gzipped", async ([importLine, limit]) => {
  const { bytes, gzipped } = await bundledSize(importLine);
  console.log(`${importLine}: ${bytes} bytes, ${gzipped} gzipped`);
  expect(gzipped).toBeGreaterThan(500);
  expect(gzipped).toBeLessThanOrEqual(limit);
});
