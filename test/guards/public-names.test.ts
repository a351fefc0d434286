import { join } from "node:path";
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
      return (flags & ts.SymbolFlags.Value) === 0 ? `type ${exported.name}` : exported.name;
    })
    .toSorted();
}

/** A change of this list is a change of the public API: it belongs into the changelog. `npx vitest run -u` writes it. */
test("the public names of every subpath are the ones agreed on", { timeout: 30_000 }, async () => {
  const config = ts.getParsedCommandLineOfConfigFile(
    join(repository, "tsconfig.json"),
    {},
    {
      ...ts.sys,
      onUnRecoverableConfigFileDiagnostic: ({ messageText }) => {
        throw new Error(ts.flattenDiagnosticMessageText(messageText, "\n"));
      },
    },
  );
  const files = subpaths.map(([, file]) => join(repository, "src", file));
  const program = ts.createProgram(files, config?.options ?? {});
  const chapters = subpaths.map(([name, file]) => [`# ${name}`, ...publicNames(program, file), ""].join("\n"));
  await expect(chapters.join("\n")).toMatchFileSnapshot("public-names.txt");
});
