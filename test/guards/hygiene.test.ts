import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { filesBelow, repository } from "../support/source-files.ts";

const texts = filesBelow("")
  .filter((path) => /\.(ts|mts|mjs|js|json|md|yml|yaml|html|css|sql|sh)$|(^|\/)[^.]+$|\.(npmrc|gitignore)$/.test(path))
  .map((path) => ({ path, text: readFileSync(join(repository, path), "utf8") }));

function filesWith(pattern: RegExp): string[] {
  return texts.filter(({ text }) => pattern.test(text)).map(({ path }) => path);
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

describe("no file of the repository", () => {
  test("names a folder of somebody's machine", () => {
    const here = repository.replace(/\/$/, "");
    const homes = /(^|[\s"'`(=])\/(home|root|Users)\/\w/m;
    expect(filesWith(new RegExp(`${homes.source}|${escaped(here)}(/|\\b)`, "m"))).toEqual([]);
  });

  test("holds a private key or an access token", () => {
    expect(
      filesWith(/-----BEGIN [A-Z ]*PRIVATE KEY-----|\b(ghp|npm|glpat)_[A-Za-z0-9]{20,}|\bAKIA[0-9A-Z]{16}\b/),
    ).toEqual([]);
  });

  test("ends without a line break or has spaces at a line's end", () => {
    const code = texts.filter(({ path }) => /\.(ts|mjs|json|yml)$/.test(path) && !path.startsWith("test/golden/"));
    const untidy = code.filter(({ text }) => !text.endsWith("\n") || /[ \t]+$/m.test(text));
    expect(untidy.map(({ path }) => path)).toEqual([]);
  });
});

test("the lock files name no registry", () => {
  const locks = texts.filter(({ path }) => path.endsWith("package-lock.json"));
  expect(locks.length).toBeGreaterThan(0);
  expect(
    locks.filter(({ text }) => /"resolved": "(?!\.\.")|https?:\/\/[^"]*registry/.test(text)).map(({ path }) => path),
  ).toEqual([]);
});
