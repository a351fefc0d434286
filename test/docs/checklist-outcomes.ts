/** Whether the tests that the security checklist names have run, and passed. */
import { type ChecklistRow, type NamedTest, patternOf } from "./checklist.ts";

/** A file of tests that ran. */
export interface RanFile {
  /** From the repository's root. */
  readonly path: string;
  /** By their full names, with those of their suites. */
  readonly tests: readonly { readonly name: string; readonly state: string }[];
}

const adapters = "express express4 fastify fetch hono koa nest-express nest-fastify node".split(" ");

/** The files of tests that run a contract of `src/testing`, by how the contract's own files begin. */
export const contractFiles: Readonly<Record<string, readonly string[]>> = {
  "src/testing/adapter-": adapters.map((name) => `test/adapters/${name}.test.ts`),
  "src/testing/store-": [
    "test/stores/memory.test.ts",
    "test/stores/cached.test.ts",
    "test/stores/sqlite-contract.test.ts",
    "test/stores/redis-contract.processes.test.ts",
    "test/stores/redis-cluster.processes.test.ts",
    "test/stores/postgres-contract.processes.test.ts",
    "test/stores/mysql-contract.processes.test.ts",
    "test/stores/simple-contract.test.ts",
    "test/stores/foreign-contract.test.ts",
    "test/stores/foreign-servers.processes.test.ts",
  ],
};

/** Where the tests of a named file are run. */
function runnersOf(file: string): readonly string[] {
  const contract = Object.keys(contractFiles).find((begin) => file.startsWith(begin));
  return contract === undefined ? [file] : (contractFiles[contract] as readonly string[]);
}

/** What became of the tests that a name fits: the best of it. */
function outcome(ran: readonly RanFile[], { file, name }: NamedTest): "passed" | "skipped" | "missing" | "not run" {
  const runners = runnersOf(file);
  const relevant = ran.filter(({ path }) => runners.includes(path));
  if (relevant.length === 0) return "not run";
  const pattern = patternOf(name);
  const states = relevant.flatMap(({ tests }) => tests).filter((test) => pattern.test(test.name));
  if (states.some(({ state }) => state === "passed")) return "passed";
  return states.some(({ state }) => state === "skipped") ? "skipped" : "missing";
}

/**
 * What is wrong with a run: tests that are named and did not pass.
 *
 * @param run `whole`: nothing was filtered, so that what did not run is in no project any more. `strict`: a skipped
 *   test counts as one that failed; elsewhere a server or a browser may be missing.
 */
export function complaints(
  rows: readonly ChecklistRow[],
  ran: readonly RanFile[],
  run: { readonly whole: boolean; readonly strict: boolean },
): readonly string[] {
  const isWrong = (state: ReturnType<typeof outcome>): boolean =>
    state === "missing" || (state === "skipped" && run.strict) || (state === "not run" && run.whole);
  const named = rows.flatMap(({ id, tests }) =>
    tests
      .map((one) => ({ ...one, state: outcome(ran, one) }))
      .filter(({ state }) => isWrong(state))
      .map(({ file, name, state }) => `${id}: ${state}: ${file}: ${name}`),
  );
  const paths = new Set(ran.map(({ path }) => path));
  const runners = run.whole ? Object.values(contractFiles).flat() : [];
  return [...named, ...runners.filter((path) => !paths.has(path)).map((path) => `a contract: not run: ${path}`)];
}
