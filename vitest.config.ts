import { configDefaults, defineConfig } from "vitest/config";
import { closingLine } from "./test/support/closing-line.ts";

/** Tests that start browsers, processes or npm. All others belong to the inner loop. */
const slow = ["test/e2e/**/*.test.ts", "test/**/*.processes.test.ts"];
const packed = ["test/package/**/*.test.ts"];

export default defineConfig({
  test: {
    reporters: ["default", closingLine],
    // Two workers also where Vitest would leave a core free: the files wait for sockets more than they compute.
    maxWorkers: 2,
    coverage: { provider: "v8", include: ["src/**/*.ts"], reporter: ["text-summary", "html"] },
    projects: [
      {
        extends: true,
        test: {
          name: "fast",
          include: ["test/**/*.test.ts"],
          exclude: [...slow, ...packed, ...configDefaults.exclude],
          testTimeout: 10_000,
        },
      },
      {
        extends: true,
        test: { name: "slow", include: slow, testTimeout: 60_000, hookTimeout: 180_000 },
      },
      {
        extends: true,
        test: { name: "package", include: packed, testTimeout: 120_000, hookTimeout: 180_000 },
      },
    ],
  },
});
