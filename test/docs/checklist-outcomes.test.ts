import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { filesBelow, repository } from "../support/source-files.ts";
import type { ChecklistRow } from "./checklist.ts";
import { complaints, contractFiles, type RanFile } from "./checklist-outcomes.ts";

const row = (file: string, name: string): ChecklistRow => ({
  id: "X01",
  state: "holds",
  limited: false,
  cells: [],
  tests: [{ file, name }],
});
const ran = (path: string, state: string, name: string): RanFile => ({ path, tests: [{ name, state }] });
const everyContract = Object.values(contractFiles)
  .flat()
  .map((path) => ran(path, "passed", "what every store and every adapter does"));

const some = { whole: false, strict: true };
const whole = { whole: true, strict: true };

describe("a run in which a named test", () => {
  const rows = [row("test/a.test.ts", "refuses %j")];

  it("passed is fine, under whatever name its data give it", () => {
    const files = [ran("test/a.test.ts", "passed", 'a cookie refuses "x"')];
    expect(complaints(rows, files, some)).toEqual([]);
    expect(complaints(rows, [...files, ...everyContract], whole)).toEqual([]);
  });

  it.each([
    ["is not in its file any more", "missing", [ran("test/a.test.ts", "passed", "another")]],
    ["failed", "missing", [ran("test/a.test.ts", "failed", "refuses 1")]],
    ["was skipped", "skipped", [ran("test/a.test.ts", "skipped", "refuses 1")]],
  ])("%s fails", (_, state, files) => {
    expect(complaints(rows, files, some)).toEqual([`X01: ${state}: test/a.test.ts: refuses %j`]);
  });

  it("was skipped is fine on a machine where a server may be missing", () => {
    const files = [ran("test/a.test.ts", "skipped", "refuses 1")];
    expect(complaints(rows, files, { whole: false, strict: false })).toEqual([]);
  });

  it("is in a file that did not run fails where everything was to run, and only there", () => {
    const others = [ran("test/b.test.ts", "passed", "refuses 1")];
    expect(complaints(rows, others, some)).toEqual([]);
    expect(complaints(rows, [...others, ...everyContract], whole)).toEqual([
      "X01: not run: test/a.test.ts: refuses %j",
    ]);
  });
});

describe("a promise of a contract", () => {
  const rows = [row("src/testing/store-contract-races.ts", "a cap holds")];

  it("is looked for where the contract is run", () => {
    const file = "test/stores/redis-contract.processes.test.ts";
    expect(complaints(rows, [ran(file, "passed", "with ioredis: a cap holds")], some)).toEqual([]);
    expect(complaints(rows, [ran(file, "passed", "another")], some)).toHaveLength(1);
    expect(
      complaints(rows, [ran("test/stores/redis-faults.processes.test.ts", "passed", "a cap holds")], some),
    ).toEqual([]);
  });

  it("has to be kept by every store: a run of everything is whole with all of them", () => {
    const [gone, ...rest] = everyContract;
    expect(complaints([], rest, whole)).toEqual([`a contract: not run: ${gone?.path}`]);
  });

  it("is run by all files that call the contract, and no other", () => {
    const calling = (folder: string, call: RegExp): string[] =>
      filesBelow(`test/${folder}`)
        .filter(
          (file) =>
            file.endsWith(".test.ts") && call.test(readFileSync(join(repository, "test", folder, file), "utf8")),
        )
        .map((file) => `test/${folder}/${file}`);
    // The stores that are broken on purpose keep no contract.
    const stores = calling("stores", /\bstoreContract\(/).filter((path) => !path.endsWith("broken-stores.test.ts"));
    expect(stores.toSorted()).toEqual(contractFiles["src/testing/store-"]?.toSorted());
    const adapters = calling("adapters", /\badapterContract\(/);
    expect(adapters.toSorted()).toEqual(contractFiles["src/testing/adapter-"]?.toSorted());
  });
});
