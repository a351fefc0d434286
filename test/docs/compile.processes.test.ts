/** Compiles the documents' TypeScript. Takes seconds, so it stays out of the inner loop. */
import { join } from "node:path";
import ts from "typescript";
import { expect, test } from "vitest";
import { repository } from "../support/source-files.ts";
import { type CodeBlock, documents } from "./markdown.ts";

const typed = documents.flatMap(({ blocks }) => blocks).filter(({ language }) => language === "ts");

/** What a block may use without saying where it has it from: the name, and the line that brings it. */
const PREAMBLE: Readonly<Record<string, string>> = {
  secretKey: "declare const secretKey: string;",
  session: 'declare const session: import("fastsession").FastSession;',
  sessions: 'declare const sessions: import("fastsession").Sessions;',
  createSessions: 'import { createSessions } from "fastsession";',
  MemoryStore: 'import { MemoryStore } from "fastsession";',
  expressCookie: 'import { expressCookie } from "fastsession";',
  Hono: 'import { Hono } from "hono";',
  SessionEnv: 'import type { SessionEnv } from "fastsession/hono";',
  fastSession: 'import { fastSession } from "fastsession/hono";',
};

const configPath = join(repository, "examples/tsconfig.json");
const { options } = ts.parseJsonConfigFileContent(
  {
    ...ts.readConfigFile(configPath, (path) => ts.sys.readFile(path)).config,
    files: ["snippet.ts"],
    include: [],
  },
  ts.sys,
  join(repository, "examples"),
  undefined,
  configPath,
);

/** Names that a block declares at its top, by import or by itself. */
function declaredIn(code: string): Set<string> {
  const names = new Set<string>();
  const add = (name: ts.BindingName | undefined): void => {
    if (name === undefined) return;
    if (ts.isIdentifier(name)) names.add(name.text);
    else for (const element of name.elements) if (ts.isBindingElement(element)) add(element.name);
  };
  for (const statement of ts.createSourceFile("code.ts", code, ts.ScriptTarget.ESNext, true).statements) {
    if (ts.isVariableStatement(statement)) statement.declarationList.declarations.forEach(({ name }) => add(name));
    else if (ts.isImportDeclaration(statement)) {
      const bindings = statement.importClause?.namedBindings;
      add(statement.importClause?.name);
      if (bindings !== undefined && ts.isNamedImports(bindings)) bindings.elements.forEach(({ name }) => add(name));
    }
  }
  return names;
}

/** A block as a module, on its first line what it leaves out. */
function moduleOf({ code }: CodeBlock): string {
  const declared = declaredIn(code);
  const missing = Object.keys(PREAMBLE).filter((name) => new RegExp(`\\b${name}\\b`).test(code) && !declared.has(name));
  // Some other file of an application imports the package, without which nothing can be declared for it.
  return `import type {} from "fastsession"; ${missing.map((name) => PREAMBLE[name]).join(" ")}\n${code}`;
}

/** Compiles blocks as modules of one program. Answers what is wrong, with document and line. */
function faultsOf(some: readonly CodeBlock[], old?: ts.Program): { faults: string[]; program: ts.Program } {
  const files = new Map(some.map((block, at) => [join(repository, `examples/snippet-${at}.ts`), block]));
  const settings = { ...options, noUnusedLocals: false, noUnusedParameters: false };
  const disk = ts.createCompilerHost(settings);
  const textOf = (path: string): string | undefined => {
    const block = files.get(path);
    return block === undefined ? undefined : moduleOf(block);
  };
  const host: ts.CompilerHost = {
    ...disk,
    fileExists: (path) => files.has(path) || disk.fileExists(path),
    readFile: (path) => textOf(path) ?? disk.readFile(path),
    getSourceFile(path, language, ...rest) {
      const text = textOf(path);
      if (text !== undefined) return ts.createSourceFile(path, text, language, true);
      return old?.getSourceFile(path) ?? disk.getSourceFile(path, language, ...rest);
    },
  };
  const program = ts.createProgram({ rootNames: [...files.keys()], options: settings, host });
  const faults = [...files].flatMap(([path, { document, line }]) => {
    const source = program.getSourceFile(path);
    const found = [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)];
    return found.map(({ start, messageText }) => {
      const inBlock = source?.getLineAndCharacterOfPosition(start ?? 0).line ?? 0;
      return `${document}:${line + inBlock} ${ts.flattenDiagnosticMessageText(messageText, " ")}`;
    });
  });
  return { faults, program };
}

test("code in the documents compiles", () => {
  expect(typed.length).toBeGreaterThan(20);
  // What is declared for `fastsession` holds for a whole program, so that it needs one of its own.
  const declares = (block: CodeBlock): boolean => block.code.includes("declare module");
  const first = faultsOf(typed.filter((block) => !declares(block)));
  expect(first.faults).toEqual([]);
  expect(faultsOf(typed.filter(declares), first.program).faults).toEqual([]);
});
