import { relative } from "node:path";
import type { Reporter, TestModule, Vitest } from "vitest/node";
import { type NamedTest, patternOf, rows } from "../docs/checklist.ts";

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

/** What became of the tests of a run that a name fits: the best of it. */
function outcome(
  modules: readonly TestModule[],
  { file, name }: NamedTest,
): "passed" | "skipped" | "missing" | "not run" {
  const relevant = modules.filter((module) => runs(module, file));
  if (relevant.length === 0) return "not run";
  const pattern = patternOf(name);
  const states = relevant
    .flatMap((module) => [...module.children.allTests()])
    .filter(({ fullName }) => pattern.test(fullName))
    .map((test) => test.result().state);
  if (states.includes("passed")) return "passed";
  return states.includes("skipped") ? "skipped" : "missing";
}

/**
 * Fails a run in which a test that the security checklist names was to run and did not pass: renamed by its data, gone,
 * or skipped in CI. Elsewhere a database server may be missing. Of files that were not run nothing is said.
 */
export const checklistReporter: Reporter = {
  onInit(started) {
    vitest = started;
  },
  onTestRunEnd(modules) {
    if (vitest?.config.testNamePattern !== undefined || vitest?.config.watch === true) return;
    const strict = process.env["CI"] !== undefined;
    const failed = rows.flatMap(({ id, tests }) =>
      tests
        .map((one) => ({ ...one, state: outcome(modules, one) }))
        .filter(({ state }) => state === "missing" || (state === "skipped" && strict))
        .map(({ file, name, state }) => `${id}: ${state}: ${file}: ${name}`),
    );
    if (failed.length === 0) return;
    console.error(`The security checklist (docs/security.md) names tests that did not pass:\n${failed.join("\n")}`);
    process.exitCode = 1;
  },
};
