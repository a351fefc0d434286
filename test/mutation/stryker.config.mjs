/** `npm run test:mutation [-- --mutate src/http/set-cookie.ts]`: which changes of the code does no test notice? */
import { fileURLToPath } from "node:url";

export default {
  mutate: ["src/core/**/*.ts", "src/http/**/*.ts"],
  plugins: [fileURLToPath(new URL("node_modules/@stryker-mutator/vitest-runner/dist/src/index.js", import.meta.url))],
  testRunner: "vitest",
  vitest: { configFile: "test/mutation/vitest.config.ts", related: false },
  coverageAnalysis: "perTest",
  ignoreStatic: true,
  // Messages are no interface: what they say is tested where it matters.
  mutator: { excludedMutations: ["StringLiteral"] },
  ignorePatterns: [
    "bench",
    "demo",
    "dist",
    "red-team",
    "test/mutation/node_modules",
    "test/runtimes/node_modules",
    ".cache",
    "test-results",
  ],
  tempDirName: ".cache/stryker",
  incremental: true,
  incrementalFile: ".cache/stryker-incremental.json",
  reporters: ["clear-text", "json", "progress"],
  jsonReporter: { fileName: ".cache/mutation.json" },
  clearTextReporter: { allowColor: false, logTests: false, reportTests: false },
  concurrency: 2,
  timeoutMS: 10_000,
  thresholds: { high: 95, low: 90, break: 90 },
};
