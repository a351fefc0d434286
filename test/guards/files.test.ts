import { readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { describe, expect, test } from "vitest";
import { behindAnOption, manifest, subpaths } from "../support/manifest.ts";
import { filesBelow, readSource, repository } from "../support/source-files.ts";

const LINES_PER_FILE = 260;

const sources = readSource();
const code = filesBelow("").filter((path) => /\.(ts|mjs)$/.test(path));

function hasDefaultExport(tree: ts.SourceFile): boolean {
  return tree.statements.some(
    (node) =>
      (ts.isExportAssignment(node) ||
        (ts.canHaveModifiers(node) &&
          ts.getModifiers(node)?.some(({ kind }) => kind === ts.SyntaxKind.DefaultKeyword))) ??
      false,
  );
}

describe("the files", () => {
  test("have kebab-case names", () => {
    const kebab = /^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9-]+)*$/;
    const other = code.filter((path) => !path.split("/").every((name) => kebab.test(name)));
    expect(other).toEqual([]);
  });

  test(`of src have at most ${LINES_PER_FILE} lines`, () => {
    const long = sources
      .map(({ path, text }) => ({ path, lines: text.split("\n").length - 1 }))
      .filter(({ lines }) => lines > LINES_PER_FILE);
    expect(long).toEqual([]);
  });

  test("of src export names, never a default", () => {
    expect(sources.filter(({ tree }) => hasDefaultExport(tree)).map(({ path }) => path)).toEqual([]);
  });

  const tests = code.filter((path) => /^test\/.*\.test(-d)?\.ts$/.test(path));

  test("of the tests expect no bare pattern of a message: in an object, Vitest takes every text for it", () => {
    const bare = /\bmessage:\s\//;
    expect(tests.filter((path) => bare.test(readFileSync(join(repository, path), "utf8")))).toEqual([]);
  });

  test("of the tests single no test out", () => {
    const single = /\b(it|test|describe|suite)(\.\w+)*\.only\b/;
    expect(tests.filter((path) => single.test(readFileSync(join(repository, path), "utf8")))).toEqual([]);
  });
});

describe("the subpaths of the package", () => {
  const exported = subpaths.map(([, file]) => file);

  test("each name one file of src, by its own name", () => {
    for (const [subpath, file] of subpaths) {
      const wanted = subpath.replace(/^fastsession\/?/, "");
      expect(["index.ts", `${wanted}/index.ts`, `${wanted}.ts`, `adapters/${wanted}.ts`]).toContain(file);
      expect(sources.map(({ path }) => path)).toContain(file);
    }
  });

  test("lead to declarations and code of the same file", () => {
    for (const target of Object.values(manifest.exports)) {
      if (typeof target === "string") expect(target).toBe("./package.json");
      else expect(target.types).toBe(target.default.replace(/\.js$/, ".d.ts"));
    }
  });

  test("reach every adapter and every store", () => {
    const faces = [...exported, ...behindAnOption];
    const isPart = (path: string): boolean => faces.some((file) => path.startsWith(file.replace(/\.ts$/, "-")));
    const hidden = sources
      .map(({ path }) => path)
      .filter((path) => /^(adapters|stores)\//.test(path) && !faces.includes(path) && !isPart(path));
    expect(hidden).toEqual([]);
  });
});
