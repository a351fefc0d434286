import type { Reporter, TestModule } from "vitest/node";

/** What a run comes to. A file that cannot be loaded and an error outside every test count as failed. */
interface Totals {
  passed: number;
  failed: number;
  skipped: number;
}

function addModule(totals: Totals, module: TestModule): void {
  const failedBefore = totals.failed;
  for (const test of module.children.allTests()) {
    const { state } = test.result();
    if (state === "passed") totals.passed += 1;
    else if (state === "failed") totals.failed += 1;
    else totals.skipped += 1;
  }
  if (module.state() === "failed" && totals.failed === failedBefore) totals.failed += 1;
}

/** Ends a run with one line that a script can read: `N passed, N failed, N skipped`. */
export const closingLine: Reporter = {
  onTestRunEnd(modules, unhandledErrors) {
    const totals: Totals = { passed: 0, failed: unhandledErrors.length, skipped: 0 };
    for (const module of modules) addModule(totals, module);
    console.log(`${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped`);
  },
};
