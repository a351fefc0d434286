import { configDefaults, defineConfig } from "vitest/config";
import { checklistReporter } from "./test/support/checklist-reporter.ts";
import { closingLine } from "./test/support/closing-line.ts";

/** Tests that start browsers or processes. */
const slow = ["test/e2e/**/*.test.ts", "test/**/*.processes.test.ts"];
/**
 * Many cases of one thing, which one of them stands for in the inner loop: the adapter stories of each framework, broken
 * stores for the store contract to catch, 220,000 hostile cookies, random histories and orders of calls, nonsense from
 * every verb of a store, fuzzed inputs.
 */
const many = [
  "test/adapters/!(node).test.ts",
  "test/stores/broken-stores.test.ts",
  "test/security/hostile-cookies.test.ts",
  "test/security/hostile-sockets.test.ts",
  "test/properties/**/*.test.ts",
  "test/security/faults.test.ts",
  "test/fuzz/**/*.test.ts",
  // Count calls of node:crypto, so no other file may have loaded it before: `test:fast` shares modules between files.
  "test/core/costs.test.ts",
  "test/security/mac-counts.test.ts",
];
const packed = ["test/package/**/*.test.ts"];

/** Deadlines are far above what a test takes: on a machine that does much else, nothing fails for being slow. */
export default defineConfig({
  test: {
    reporters: ["default", checklistReporter, closingLine],
    // Two workers also where Vitest would leave a core free: the files wait for sockets more than they compute.
    maxWorkers: 2,
    coverage: { provider: "v8", include: ["src/**/*.ts"], reporter: ["text-summary", "html"] },
    projects: [
      {
        extends: true,
        test: {
          name: "fast",
          include: ["test/**/*.test.ts"],
          exclude: [...slow, ...many, ...packed, ...configDefaults.exclude],
          testTimeout: 30_000,
        },
      },
      {
        extends: true,
        test: { name: "many", include: many, testTimeout: 120_000 },
      },
      {
        extends: true,
        test: { name: "slow", include: slow, testTimeout: 180_000, hookTimeout: 300_000 },
      },
      {
        extends: true,
        test: { name: "package", include: packed, testTimeout: 180_000, hookTimeout: 300_000 },
      },
    ],
  },
});
