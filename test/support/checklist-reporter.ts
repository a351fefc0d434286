import { relative } from "node:path";
import type { Reporter, TestModule, Vitest } from "vitest/node";
import { rows } from "../docs/checklist.ts";
import { complaints, type RanFile } from "../docs/checklist-outcomes.ts";

let vitest: Vitest | undefined;

function toRan(module: TestModule): RanFile {
  const path = relative(module.project.config.root, module.moduleId).replaceAll("\\", "/");
  const tests = [...module.children.allTests()].map((test) => ({ name: test.fullName, state: test.result().state }));
  return { path, tests };
}

/**
 * Fails a run in which a test that the security checklist names was to run and did not pass: renamed by its data, gone,
 * skipped in CI, or, where everything was to run, in a file that did not. A run of some files says nothing of the others.
 */
export const checklistReporter: Reporter = {
  onInit(started) {
    vitest = started;
  },
  onTestRunEnd(modules) {
    if (vitest?.config.testNamePattern !== undefined || vitest?.config.watch === true) return;
    // What `npm run test:all` calls: no file, project or shard is chosen.
    const whole = process.argv.slice(2).join(" ") === "run";
    const failed = complaints(rows, modules.map(toRan), { whole, strict: process.env["CI"] !== undefined });
    if (failed.length === 0) return;
    console.error(`The security checklist (docs/security.md) names tests that did not pass:\n${failed.join("\n")}`);
    process.exitCode = 1;
  },
};
