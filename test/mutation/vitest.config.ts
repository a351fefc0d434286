import { configDefaults, defineConfig } from "vitest/config";

/** The tests that mutants of `core` and `http` are tried with: those of the inner loop that know them. */
export default defineConfig({
  test: {
    include: ["test/{core,http,golden,properties,security}/**/*.test.ts", "test/adapters/node.test.ts"],
    exclude: [
      "test/**/*.processes.test.ts",
      "test/security/{hostile-cookies,faults}.test.ts",
      "test/properties/**",
      ...configDefaults.exclude,
    ],
    testTimeout: 20_000,
  },
});
