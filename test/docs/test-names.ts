import { readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { repository } from "../support/source-files.ts";
import type { NamedTest } from "./checklist.ts";

/** The names of a file's tests, as far as they run everywhere: not those that are skipped, planned or conditional. */
export function testsOf(file: string): string[] {
  const source = ts.createSourceFile(file, readFileSync(join(repository, file), "utf8"), ts.ScriptTarget.ESNext, true);
  const names: string[] = [];
  const visit = (node: ts.Node): void => {
    const name = ts.isCallExpression(node)
      ? node.arguments[0]
      : ts.isPropertyAssignment(node)
        ? node.initializer
        : null;
    if (name !== null && name !== undefined && (ts.isStringLiteralLike(name) || ts.isTemplateExpression(name))) {
      const caller = ts.isCallExpression(node)
        ? node.expression.getText()
        : (node as ts.PropertyAssignment).name.getText();
      if (/\.(skip|todo|skipIf|runIf)\b/.test(caller)) return;
      if (/^(test|it|describe|story|promise)\b/.test(caller)) {
        names.push(ts.isStringLiteralLike(name) ? name.text : name.getText().slice(1, -1));
      }
    } else if (
      ts.isCallExpression(node) &&
      /^(test|it|describe)\.(skip|todo|skipIf|runIf)\b/.test(node.expression.getText())
    ) {
      return;
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return names;
}

const known = new Map<string, readonly string[]>();

/** Those that are not in the file that they are said to be in, word by word. */
export function missingTests(tests: readonly NamedTest[]): string[] {
  return tests
    .filter(({ file, name }) => {
      if (!known.has(file)) known.set(file, testsOf(file));
      return known.get(file)?.includes(name) !== true;
    })
    .map(({ file, name }) => `${file}: ${name}`);
}
