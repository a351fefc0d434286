import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { repository } from "../support/source-files.ts";
import { documents } from "./markdown.ts";

const local = documents.flatMap((document) =>
  document.links
    .filter(({ target }) => !/^[a-z]+:/.test(target))
    .map((link) => ({ ...document.resolve(link.target), from: `${link.document}:${link.line}`, target: link.target })),
);

test("every link leads to a file or folder that is there", () => {
  const broken = local.filter(({ file }) => !existsSync(join(repository, file)));
  expect(broken.map(({ from, target }) => `${from} ${target}`)).toEqual([]);
});

test("every anchor is a heading of its document", () => {
  const broken = local.filter(({ file, anchor }) => {
    const document = documents.find(({ path }) => path === file);
    return anchor !== undefined && !document?.anchors.has(anchor);
  });
  expect(broken.map(({ from, target }) => `${from} ${target}`)).toEqual([]);
});

test("every decision stands in the index of decisions, and every page of docs in the README", () => {
  const targets = new Set(local.map(({ from, file }) => `${from.split(":", 1)[0]} ${file}`));
  const missing = documents
    .map(({ path }) => path)
    .filter((path) => path.startsWith("docs/"))
    .filter((path) => {
      const index = path.startsWith("docs/decisions/0") ? "docs/decisions/README.md" : "README.md";
      return !targets.has(`${index} ${path}`);
    });
  expect(missing).toEqual([]);
});
