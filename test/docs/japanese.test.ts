import { describe, expect, test } from "vitest";
import { documentAt, type Markdown } from "./markdown.ts";

const english = documentAt("README.md");
const japanese = documentAt("README.ja.md");

const codeBlocks = ({ blocks }: Markdown): string[] => blocks.map(({ language, code }) => `${language}\n${code}`);

/** What every language shares: how many cells, and the code in them, whichever word comes first. */
const tableRows = ({ rows }: Markdown): unknown[] =>
  rows.map(({ cells }) => ({
    cells: cells.length,
    code: [...new Set(cells.join(" ").match(/`[^`]+`/g))].toSorted(),
  }));

/** Pictures show one language, and each README links to the other. */
const linkTargets = ({ links }: Markdown): string[] =>
  links
    .map(({ target }) => target)
    .filter((target) => !/^README|\.png$/.test(target))
    .toSorted();

describe("the Japanese README", () => {
  test("has the headings of the English one, level by level", () => {
    expect(japanese.levels).toEqual(english.levels);
  });

  test("has the same code, to the byte and in the same order", () => {
    expect(codeBlocks(japanese)).toEqual(codeBlocks(english));
  });

  test("has the same options", () => {
    const names = (rows: readonly (readonly string[])[]): string[] =>
      rows.map(([name]) => name ?? "").toSorted((a, b) => a.localeCompare(b));
    expect(english.table("Options").length).toBeGreaterThan(30);
    expect(names(japanese.table("オプション"))).toEqual(names(english.table("Options")));
  });

  test("has the same rows in every table, as far as they are code", () => {
    expect(tableRows(japanese)).toEqual(tableRows(english));
  });

  test("leads to the same places", () => {
    expect(linkTargets(japanese)).toEqual(linkTargets(english));
  });

  test("and the English one lead to each other", () => {
    expect(english.links.map(({ target }) => target)).toContain("README.ja.md");
    expect(japanese.links.map(({ target }) => target)).toContain("README.md");
  });
});
