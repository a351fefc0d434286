/** `package.json`, as the guards and the package tests read it. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { repository } from "./source-files.ts";

export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly license: string;
  readonly type: string;
  readonly sideEffects: boolean;
  readonly engines: { readonly node: string };
  readonly exports: Readonly<Record<string, string | { readonly types: string; readonly default: string }>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
  readonly peerDependencies: Readonly<Record<string, string>>;
  readonly allowScripts: Readonly<Record<string, boolean>>;
  readonly peerDependenciesMeta: Readonly<Record<string, { readonly optional?: boolean }>>;
}

export const manifest: Manifest = JSON.parse(readFileSync(join(repository, "package.json"), "utf8"));

/** Each public subpath with its file below `src`: `["fastsession/hono", "adapters/hono.ts"]`. */
export const subpaths: readonly (readonly [name: string, file: string])[] = Object.entries(manifest.exports).flatMap(
  ([subpath, target]) => {
    if (typeof target === "string") return [];
    const file = target.default.replace(/^\.\/dist\/(.*)\.js$/, "$1.ts");
    return [[subpath.replace(/^\./, manifest.name), file] as const];
  },
);

/** Parts of `src` that users reach by an option instead of a subpath. */
export const behindAnOption: readonly string[] = ["stores/simple.ts"];
