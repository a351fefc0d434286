import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { manifest } from "../support/manifest.ts";
import { readSource, repository } from "../support/source-files.ts";

/** Peers that no file of src names in an import: the SQLite store looks for this driver while it runs. */
const foundAtRunTime = ["libsql"];

/** `@scope/name` of `@scope/name/path`. */
function packageOf(specifier: string): string {
  return specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");
}

/** Each name in backquotes; one that ends with a star stands for all that begin like it. */
const explained = [...readFileSync(join(repository, "docs/dependencies.md"), "utf8").matchAll(/`([^`\s]+)`/g)].map(
  ([, name]) => name as string,
);

test("docs/dependencies.md says of each package why it is there", () => {
  const isExplained = (name: string): boolean =>
    explained.some((one) => (one.endsWith("*") ? name.startsWith(one.slice(0, -1)) : name === one));
  const all = [...Object.keys(manifest.devDependencies), ...Object.keys(manifest.peerDependencies)];
  expect(all.filter((name) => !isExplained(name))).toEqual([]);
});

describe("what the package asks of its user", () => {
  test("is no dependency at all", () => {
    expect(manifest.dependencies ?? {}).toEqual({});
    expect(manifest.optionalDependencies ?? {}).toEqual({});
  });

  test("are peers that are all optional", () => {
    const peers = Object.keys(manifest.peerDependencies);
    expect(Object.keys(manifest.peerDependenciesMeta).toSorted()).toEqual(peers.toSorted());
    expect(Object.values(manifest.peerDependenciesMeta).every(({ optional }) => optional === true)).toBe(true);
  });

  test("are exactly the packages that src knows", () => {
    const imported = readSource()
      .flatMap(({ imports }) => imports)
      .filter(({ file, specifier }) => file === null && !/^(node|bun):/.test(specifier))
      .map(({ specifier }) => packageOf(specifier));
    const known = new Set([...imported, ...foundAtRunTime]);
    expect(Object.keys(manifest.peerDependencies).toSorted()).toEqual([...known].toSorted());
  });

  test("are met by the versions the tests run with", () => {
    expect(Object.keys(manifest.devDependencies)).toEqual(
      expect.arrayContaining(Object.keys(manifest.peerDependencies)),
    );
  });

  test("is a licence whose whole text is in the package", () => {
    expect(manifest.license).toBe("Apache-2.0");
    const text = readFileSync(join(repository, "LICENSE"), "utf8");
    expect(text).toContain("Version 2.0, January 2004");
    expect(text).toContain("END OF TERMS AND CONDITIONS");
  });
});

test("the tools have exact versions", () => {
  const ranges = Object.entries(manifest.devDependencies).filter(
    ([, range]) => !/^(npm:.+@)?\d+\.\d+\.\d+$/.test(range),
  );
  expect(ranges).toEqual([]);
});

test("no package of the tools runs a script when it is installed, but for those that are known and switched off", () => {
  const lock = JSON.parse(readFileSync(join(repository, "package-lock.json"), "utf8")) as {
    readonly packages: Readonly<Record<string, { readonly hasInstallScript?: boolean }>>;
  };
  const running = Object.entries(lock.packages).filter(([, { hasInstallScript }]) => hasInstallScript === true);
  const names = new Set(running.map(([path]) => path.replace(/^.*node_modules\//, "")));
  // The project's own is "prepare", which builds a checkout.
  names.delete("");
  expect([...names].filter((name) => manifest.allowScripts[name] !== false)).toEqual([]);
});
