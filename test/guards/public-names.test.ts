import { dirname, join, resolve } from "node:path";
import ts from "typescript";
import { expect, test } from "vitest";
import { subpaths } from "../support/manifest.ts";
import { repository } from "../support/source-files.ts";

/** What a subpath exports, by the compiler: `name` for a value, `type name` for what is only a type. */
function publicNames(program: ts.Program, file: string): string[] {
  const checker = program.getTypeChecker();
  const source = program.getSourceFile(join(repository, "src", file));
  const module = source === undefined ? undefined : checker.getSymbolAtLocation(source);
  if (module === undefined) throw new Error(`src/${file} is no module`);
  return checker
    .getExportsOfModule(module)
    .map((exported) => {
      const isAlias = (exported.flags & ts.SymbolFlags.Alias) !== 0;
      const { flags } = isAlias ? checker.getAliasedSymbol(exported) : exported;
      const isValue = (flags & ts.SymbolFlags.Value) !== 0 && !(exported.declarations ?? []).some(isTypeOnly);
      return isValue ? exported.name : `type ${exported.name}`;
    })
    .toSorted();
}

/** `export type { Name } from` and `export { type Name } from` pass on the type of a class alone. */
function isTypeOnly(declaration: ts.Declaration): boolean {
  return ts.isExportSpecifier(declaration) && (declaration.isTypeOnly || declaration.parent.parent.isTypeOnly);
}

/** The files of src alone: packages and the runtime's types have no say in which names there are. */
function createProgram(files: readonly string[]): ts.Program {
  const options: ts.CompilerOptions = {
    module: ts.ModuleKind.NodeNext,
    allowImportingTsExtensions: true,
    noEmit: true,
    noLib: true,
    types: [],
  };
  const host = ts.createCompilerHost(options);
  host.resolveModuleNameLiterals = (literals, containingFile) =>
    literals.map(({ text }) => ({
      resolvedModule: text.startsWith(".")
        ? { resolvedFileName: resolve(dirname(containingFile), text), extension: ts.Extension.Ts }
        : undefined,
    }));
  return ts.createProgram({ rootNames: files, options, host });
}

/** A change of this list is a change of the public API: it belongs into the changelog. `npx vitest run -u` writes it. */
test("the public names of every subpath are the ones agreed on", async () => {
  const program = createProgram(subpaths.map(([, file]) => join(repository, "src", file)));
  const chapters = subpaths.map(([name, file]) => [`# ${name}`, ...publicNames(program, file), ""].join("\n"));
  await expect(chapters.join("\n")).toMatchFileSnapshot("public-names.txt");
});
