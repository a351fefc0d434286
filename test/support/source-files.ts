/** The files under `src` and what each imports, read with the compiler's own parser. For the guards. */
import { readdirSync, readFileSync } from "node:fs";
import { join, posix } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";

export const repository: string = fileURLToPath(new URL("../../", import.meta.url));

export interface SourceFile {
  /** Relative to `src`, with `/` on every system. */
  readonly path: string;
  readonly text: string;
  readonly tree: ts.SourceFile;
  readonly imports: readonly Import[];
}

export interface Import {
  /** As written. */
  readonly specifier: string;
  /** The imported file, relative to `src`; `null` for a package or a module of the runtime. */
  readonly file: string | null;
  readonly kind: "type" | "value" | "dynamic";
  /** `export … from`, which makes a file a barrel. */
  readonly reExport: boolean;
}

/** Names of folders that git ignores, and git's own. */
const notOurs = new Set([".git", "node_modules", "dist", "coverage", ".cache", ".data", "test-results"]);

/** Every file below a folder of the repository, relative to that folder. */
export function filesBelow(folder: string): string[] {
  const files: string[] = [];
  const visit = (relative: string): void => {
    for (const entry of readdirSync(join(repository, folder, relative), { withFileTypes: true })) {
      const path = posix.join(relative, entry.name);
      if (entry.isFile()) files.push(path);
      else if (entry.isDirectory() && !notOurs.has(entry.name)) visit(path);
    }
  };
  visit("");
  return files.toSorted();
}

export function readSource(): SourceFile[] {
  return filesBelow("src").map((path) => {
    return parseSource(path, readFileSync(join(repository, "src", path), "utf8"));
  });
}

export function parseSource(path: string, text: string): SourceFile {
  const tree = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  return { path, text, tree, imports: importsOf(tree) };
}

function importsOf(tree: ts.SourceFile): Import[] {
  const imports: Import[] = [];
  const add = (node: ts.Node | undefined, kind: Import["kind"], reExport = false): void => {
    // A name that is computed cannot be checked: it is kept as written, and no rule allows it.
    const specifier = node !== undefined && ts.isStringLiteralLike(node) ? node.text : `(${node?.getText() ?? ""})`;
    const relative = specifier.startsWith(".");
    const file = relative ? posix.join(posix.dirname(tree.fileName), specifier) : null;
    imports.push({ specifier, file, kind, reExport });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) {
      add(node.moduleSpecifier, node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword ? "type" : "value");
    } else if (ts.isExportDeclaration(node) && node.moduleSpecifier !== undefined) {
      add(node.moduleSpecifier, node.isTypeOnly ? "type" : "value", true);
    } else if (ts.isImportTypeNode(node)) {
      add(ts.isLiteralTypeNode(node.argument) ? node.argument.literal : node.argument, "type");
    } else if (ts.isCallExpression(node) && isLoad(node.expression)) {
      add(node.arguments[0], "dynamic");
    }
    ts.forEachChild(node, visit);
  };
  visit(tree);
  return imports;
}

/** `import(…)` and `process.getBuiltinModule(…)`. (`require` has to be made from `node:module`, which the table refuses.) */
function isLoad(callee: ts.Expression): boolean {
  if (callee.kind === ts.SyntaxKind.ImportKeyword) return true;
  return ts.isPropertyAccessExpression(callee) && callee.name.text === "getBuiltinModule";
}
