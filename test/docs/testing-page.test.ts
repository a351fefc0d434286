import { describe, expect, test } from "vitest";
import { recordFaults } from "../stores/broken-records.ts";
import { remoteFaults } from "../stores/broken-remote-stores.ts";
import { userFaults } from "../stores/broken-users.ts";
import { namedTests } from "./checklist.ts";
import { documentAt } from "./markdown.ts";
import { missingTests } from "./test-names.ts";

const page = documentAt("docs/testing.md");

describe("the races in docs/testing.md", () => {
  const races = page.table("Fourteen races").map(([what = "", , named = ""]) => ({ what, tests: namedTests(named) }));

  test("are fourteen, and each names what proves it", () => {
    expect(races).toHaveLength(14);
    expect(races.filter(({ tests }) => tests.length === 0)).toEqual([]);
    expect(missingTests(races.flatMap(({ tests }) => tests))).toEqual([]);
  });

  test("are each in a contract, which other people's stores and adapters are held to", () => {
    const inContract = (file: string): boolean => /^src\/testing\/(store-contract|adapter-stories)-/.test(file);
    expect(races.filter(({ tests }) => !tests.some(({ file }) => inContract(file)))).toEqual([]);
  });
});

test("the broken stores in docs/testing.md are tested, and caught by the promise that it names", () => {
  const faults = [...recordFaults, ...userFaults, ...remoteFaults].map(
    ({ fault, breaks }) => `"${fault}", "${breaks}"`,
  );
  const named = page.table("Stores broken on purpose").map(([, fault, promise]) => `${fault}, ${promise}`);
  expect(faults.length).toBeGreaterThan(70);
  expect(named.length).toBeGreaterThanOrEqual(10);
  expect(named.filter((one) => !faults.includes(one))).toEqual([]);
});
