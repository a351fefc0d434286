import { relative } from "node:path";
import type { Reporter, TestCase, TestModule, Vitest } from "vitest/node";
import { patternOf, rows } from "../docs/checklist.ts";

/** The files of tests that a contract of `src/testing` is run by. */
const runsContract = {
  adapters: /^test\/adapters\/(express|express4|fastify|fetch|hono|http2|koa|nest-\w+|node)\.test\.ts$/,
  stores: /^test\/stores\/(memory|sqlite-contract|simple-contract|cached)\.test\.ts$/,
};

function runs(module: TestModule, file: string): boolean {
  const path = relative(module.project.config.root, module.moduleId).replaceAll("\\", "/");
  if (file.startsWith("src/testing/adapter-")) return runsContract.adapters.test(path);
  if (file.startsWith("src/testing/store-")) return runsContract.stores.test(path);
  return path === file;
}

let vitest: Vitest | undefined;

/**
 * Fails a run in which a test that the security checklist names was to run and did not pass: skipped, renamed by its
 * data, or gone. Of files that were not run nothing is said.
 */
export const checklistReporter: Reporter = {
  onInit(started) {
    vitest = started;
  },
  onTestRunEnd(modules) {
    if (vitest?.config.testNamePattern !== undefined || vitest?.config.watch === true) return;
    const passed = new Map<TestModule, string[]>(
      modules.map((module) => [
        module,
        [...module.children.allTests("passed")].map(({ fullName }: TestCase) => fullName),
      ]),
    );
    const missing = rows.flatMap(({ id, tests }) =>
      tests
        .filter(({ file, name }) => {
          const relevant = modules.filter((module) => runs(module, file));
          const pattern = patternOf(name);
          return (
            relevant.length > 0 && !relevant.some((module) => passed.get(module)?.some((full) => pattern.test(full)))
          );
        })
        .map(({ file, name }) => `${id}: ${file}: ${name}`),
    );
    if (missing.length === 0) return;
    console.error(
      `The security checklist (docs/security.md) names tests that did not pass in this run:\n${missing.join("\n")}`,
    );
    process.exitCode = 1;
  },
};
