import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { describe, expect, test } from "vitest";
import { repository } from "../support/source-files.ts";
import { documents } from "./markdown.ts";

const blocks = documents.flatMap(({ blocks }) => blocks);
const typed = blocks.filter(({ language }) => language === "ts");

describe("code in the documents", () => {
  test("in JavaScript is a piece of an example, which is run", () => {
    const examples = readdirSync(join(repository, "examples"))
      .filter((file) => file.endsWith(".mjs"))
      .map((file) => readFileSync(join(repository, "examples", file), "utf8"));
    const pieces = blocks.filter(({ language }) => language === "js");
    const strange = pieces.filter(({ code }) => !examples.some((text) => text.includes(code)));
    expect(strange.map(({ document, line }) => `${document}:${line}`)).toEqual([]);
  });

  test("is in a language that is tested, or for a shell", () => {
    const other = blocks.filter(({ language }) => !["ts", "js", "sh", ""].includes(language));
    expect(other.map(({ document, line }) => `${document}:${line}`)).toEqual([]);
  });
});

/** The statements of a program as JavaScript, without white space, comments, types and `export`. */
function statementsOf(code: string): string[] {
  const { outputText } = ts.transpileModule(code, {
    compilerOptions: { target: ts.ScriptTarget.ESNext, module: ts.ModuleKind.ESNext, removeComments: true },
  });
  const source = ts.createSourceFile("code.js", outputText, ts.ScriptTarget.ESNext);
  return source.statements.map((statement) =>
    statement
      .getText(source)
      .replace(/^export\s+(?!\{)/, "")
      .replace(/\s+/g, ""),
  );
}

test.each([
  ["fastsession", "hono.mjs"],
  ["Express", "express.mjs"],
  ["Fastify", "fastify.mjs"],
  ["Koa", "koa.mjs"],
  ["NestJS", "nest.ts"],
  ["node:http", "node-http.mjs"],
  ["Fetch API", "fetch.mjs"],
])("the README's lines for %s are those of examples/%s, which counts visits", (heading, file) => {
  const block = typed.find((one) => one.document === "README.md" && one.heading === heading);
  const example = statementsOf(readFileSync(join(repository, "examples", file), "utf8"));
  const own = statementsOf(block?.code ?? "");
  expect(own.length).toBeGreaterThanOrEqual(3);
  expect(example).toEqual(expect.arrayContaining(own));
});
