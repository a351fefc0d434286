import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { repository } from "../support/source-files.ts";
import { checklist, rows } from "./checklist.ts";
import { documentAt } from "./markdown.ts";
import { missingTests } from "./test-names.ts";

/** How many rows each part of the checklist has. */
const PARTS = { A: 10, B: 12, C: 16, D: 13, E: 17, F: 16, G: 24, H: 14, I: 13, J: 15 };

/** What has to hold before anything is released. */
const NEEDED =
  "A01 A03 A04 A07 A08 B02 B03 B04 B05 B06 B09 B10 B12 C01 C03 C09 C11 C12 D01 D02 D03 D04 D05 D06 D07 D12 " +
  "E01 E02 E04 E05 E06 E07 E08 E15 F01 F02 F03 F06 F13 F14 G01 G03 G04 G05 G06 G07 G16 G20 H01 H02 H03 H04 H05 " +
  "I01 I03 I04 I06 I07 I09 J01 J02 J05";

describe("the security checklist", () => {
  test("has all its 150 rows, in order", () => {
    const ids = Object.entries(PARTS).flatMap(([part, count]) =>
      Array.from({ length: count }, (_, at) => `${part}${String(at + 1).padStart(2, "0")}`),
    );
    expect(rows.map(({ id }) => id)).toEqual(ids);
  });

  test("names a test in each row that holds, and a reason in each that does not", () => {
    const silent = rows.filter(({ state, cells, tests }) =>
      state === "holds" ? tests.length === 0 : !/^\*\*(open|decided against)\*\*: .{20,}/.test(cells[3] ?? ""),
    );
    expect(silent.map(({ id }) => id)).toEqual([]);
  });

  test("says how many rows hold, and all hold that have to", () => {
    const count = (state: string): number => rows.filter((row) => row.state === state).length;
    const [held, limited] = [count("holds"), rows.filter((row) => row.limited).length];
    const text = readFileSync(join(repository, "docs/security.md"), "utf8").replaceAll("\n", " ");
    expect(text).toContain(`Of the 150 rows ${held} hold, ${limited} of these with a **limit** that the row names`);
    expect(text).toContain(`${count("decided against")} are decided against, with the reason. Open: ${count("open")}.`);
    const japanese = readFileSync(join(repository, "docs/security.ja.md"), "utf8");
    expect(japanese).toContain(`150 行のうち ${held} 行を満たし、そのうち ${limited} 行には`);
    expect(japanese).toContain(
      `${count("decided against")} 行は理由を述べて採用せず（**decided against**）、未完（**open**）は ${count("open")} 行です`,
    );
    const needed = new Set(NEEDED.split(" "));
    expect(rows.filter(({ id, state }) => needed.has(id) && state !== "holds").map(({ id }) => id)).toEqual([]);
    // Of all 150 at least 140 are to hold.
    expect(held).toBeGreaterThanOrEqual(140);
  });

  test("names tests that are in the files that it names, and run everywhere", () => {
    const missing = rows.flatMap(({ id, tests }) => missingTests(tests).map((test) => `${id}: ${test}`));
    expect(missing).toEqual([]);
  });

  test("is the same in Japanese, row by row", () => {
    const japanese = checklist("docs/security.ja.md", "チェックリスト");
    const facts = (all: typeof rows): unknown[] =>
      all.map(({ id, state, limited, cells, tests }) => ({ id, state, limited, source: cells[2], tests }));
    expect(facts(japanese)).toEqual(facts(rows));
    const english = documentAt("docs/security.md");
    expect(documentAt("docs/security.ja.md").levels).toEqual(english.levels);
  });
});

describe("the page about ASVS", () => {
  test("every line of ASVS V7 is answered, once", () => {
    const counts = [3, 4, 2, 5, 3, 2];
    const lines = counts.flatMap((count, section) =>
      Array.from({ length: count }, (_, at) => `7.${section + 1}.${at + 1}`),
    );
    const answered = documentAt("docs/asvs.md").table("Session management");
    expect(answered.map(([line]) => line)).toEqual(lines);
    expect(answered.filter((cells) => `${cells[3]}${cells[4]}`.length < 20)).toEqual([]);
  });
});
