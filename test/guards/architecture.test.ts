import { describe, expect, test } from "vitest";
import { behindAnOption, subpaths } from "../support/manifest.ts";
import { type Import, parseSource, readSource, type SourceFile } from "../support/source-files.ts";

/**
 * What the files of each part may import: the layout in CONTRIBUTING.md, with docs/decisions/002 and 003.
 * The first row whose `files` fits a file holds. Names are regular expressions over paths below `src`.
 */
const table: readonly Row[] = [
  {
    part: "index.ts",
    files: /^index\.ts$/,
    sources: [/^(create-sessions|original-defaults)\.ts$/, /^core\//, /^http\//, /^stores\/(memory|simple)\.ts$/],
  },
  {
    part: "create-sessions.ts",
    files: /^create-sessions\.ts$/,
    sources: [/^core\//, /^http\//, /^stores\/(memory|simple)\.ts$/],
  },
  {
    part: "original-defaults.ts",
    files: /^original-defaults\.ts$/,
    sources: [/^create-sessions\.ts$/, /^core\//, /^http\//],
  },
  {
    part: "core",
    files: /^core\//,
    sources: [/^core\//],
    runtime: { "node:crypto": /^core\/crypto\.ts$/ },
  },
  {
    part: "http",
    files: /^http\//,
    sources: [/^core\//, /^http\//],
    runtime: { "node:zlib": /^http\/inflate\.ts$/ },
    types: [/^node:http$/],
  },
  {
    part: "the Nest adapter",
    files: /^adapters\/nest\.ts$/,
    sources: [/^core\//, /^http\//, /^create-sessions\.ts$/, /^adapters\/(express|fastify)\.ts$/],
    packages: [/^@nestjs\/(common|core)$/],
    types: [/^(express|fastify)$/],
  },
  {
    part: "adapters",
    files: /^adapters\//,
    sources: [/^core\//, /^http\//, /^create-sessions\.ts$/],
    types: [/^node:http2?$/, /^(express|fastify|hono|koa)(\/|$)/],
  },
  {
    // A user's routing tag decides on the slot; scripts are called by a hash of theirs. docs/decisions/009.
    part: "the Redis store",
    files: /^stores\/redis(-.*)?\.ts$/,
    sources: [
      /^core\/(session-record|session-store|session-id|alias-limit|check-option|list-place|kept-text|crypto|errors|units)\.ts$/,
    ],
  },
  {
    // What no database keeps as it is, all of them keep in one notation. All check options alike, and follow as many
    // aliases as the core, and go on with lists from places that it has looked at.
    part: "stores",
    files: /^stores\//,
    sources: [/^core\/(session-record|session-store|alias-limit|check-option|list-place|kept-text|errors|units)\.ts$/],
    runtime: { "node:module": /^stores\/sqlite-driver\.ts$/ },
    drivers: /^stores\/sqlite-driver\.ts$/,
  },
  {
    part: "testing",
    files: /^testing\//,
    sources: [/^testing\//, /^core\//, /^http\//, /^create-sessions\.ts$/, /^stores\/memory\.ts$/],
  },
];

interface Row {
  readonly part: string;
  readonly files: RegExp;
  /** Files below `src` that may be imported, types and values. */
  readonly sources: readonly RegExp[];
  /** Modules of the runtime that may be imported, each in the one file named. */
  readonly runtime?: Readonly<Record<string, RegExp>>;
  /** Packages of the framework that are needed while the program runs. */
  readonly packages?: readonly RegExp[];
  /** Modules of which `import type` alone is allowed. */
  readonly types?: readonly RegExp[];
  /** The file that may load modules while it runs. */
  readonly drivers?: RegExp;
}

/** Stores that stand in front of another store. */
const wrappers: Readonly<Record<string, RegExp>> = {
  "stores/simple.ts": /^stores\/memory\.ts$/,
  "stores/express-store.ts": /^stores\/simple-foreign\.ts$/,
  "stores/keyv.ts": /^stores\/simple-foreign\.ts$/,
  "stores/unstorage.ts": /^stores\/simple-foreign\.ts$/,
};

const sources = readSource();
const paths = new Set(sources.map((source) => source.path));

function rowOf(path: string): Row | undefined {
  return table.find((row) => row.files.test(path));
}

/** What a file imports against the table, each as a sentence. */
function refused({ path, imports }: SourceFile): string[] {
  const row = rowOf(path);
  return imports
    .filter((imported) => row === undefined || !isAllowed(path, row, imported))
    .map(({ specifier, kind }) => `${path} imports ${specifier} (${kind})`);
}

function isAllowed(path: string, row: Row, { specifier, file, kind }: Import): boolean {
  if (kind === "dynamic") return row.drivers?.test(path) ?? false;
  if (file !== null) return isOwnPart(path, file) || row.sources.some((source) => source.test(file));
  if (row.runtime?.[specifier]?.test(path) === true) return true;
  const outside = [...(row.packages ?? []), ...(kind === "type" ? (row.types ?? []) : [])];
  return outside.some((module) => module.test(specifier));
}

/** `stores/sqlite.ts` and `stores/sqlite-driver.ts` are one store in several files; a wrapper knows what it wraps. */
function isOwnPart(path: string, file: string): boolean {
  if (!path.startsWith("stores/")) return false;
  const family = (name: string): string => name.replace(/^stores\/|(-.*)?\.ts$/g, "");
  return family(path) === family(file) || (wrappers[path]?.test(file) ?? false);
}

/** The first ring of imports found, as the list of its files. */
function findCycle(): string[] | null {
  const done = new Set<string>();
  const walk = (path: string, trail: readonly string[]): string[] | null => {
    if (trail.includes(path)) return [...trail.slice(trail.indexOf(path)), path];
    if (done.has(path)) return null;
    for (const { file } of sources.find((source) => source.path === path)?.imports ?? []) {
      const cycle = file === null ? null : walk(file, [...trail, path]);
      if (cycle !== null) return cycle;
    }
    done.add(path);
    return null;
  };
  for (const path of paths) {
    const cycle = walk(path, []);
    if (cycle !== null) return cycle;
  }
  return null;
}

describe("the imports of src", () => {
  test("stand in the table for every file", () => {
    expect(sources.filter(({ path }) => rowOf(path) === undefined).map(({ path }) => path)).toEqual([]);
  });

  test.for(table)("stay within what the table allows to $part", (row) => {
    expect(sources.filter(({ path }) => rowOf(path) === row).flatMap(refused)).toEqual([]);
  });

  test.for([
    ["core/session.ts", 'import { a } from "../http/a.ts";'],
    ["core/session.ts", 'import * as crypto from "node:crypto";'],
    ["core/session.ts", 'import type { a } from "node:util";'],
    ["http/cookie-header.ts", 'import { a } from "../adapters/express.ts";'],
    ["http/cookie-header.ts", 'import type { Request } from "express";'],
    ["adapters/express.ts", 'import { a } from "./koa.ts";'],
    ["adapters/express.ts", 'import { a } from "../index.ts";'],
    ["adapters/express.ts", 'import express from "express";'],
    ["adapters/express.ts", 'import { type Request } from "express";'],
    ["adapters/express.ts", 'import { Module } from "@nestjs/common";'],
    ["adapters/nest.ts", 'import { a } from "./koa.ts";'],
    ["stores/memory.ts", 'import { a } from "../core/session.ts";'],
    ["stores/memory.ts", 'import { a } from "./sqlite.ts";'],
    ["stores/sqlite.ts", 'const a = await import("node:sqlite");'],
    ["testing/store-contract.ts", 'import { test } from "vitest";'],
    ["index.ts", 'export { a } from "./adapters/express.ts";'],
    ["elsewhere/a.ts", 'import { a } from "../core/a.ts";'],
  ] as const)("would be refused in %s: %s", ([path, text]) => {
    expect(refused(parseSource(path, text))).toHaveLength(1);
  });

  test("name files that exist, with their .ts ending", () => {
    const missing = sources.flatMap(({ path, imports }) =>
      imports
        .filter(({ file }) => file !== null && !paths.has(file))
        .map(({ specifier }) => `${path} imports ${specifier}`),
    );
    expect(missing).toEqual([]);
  });

  test("form no cycle, not even of types", () => {
    expect(findCycle()).toBeNull();
  });

  test("are passed on by entry points alone: no barrels inside", () => {
    const entryPoints = [...subpaths.map(([, file]) => file), ...behindAnOption, "create-sessions.ts"];
    const barrels = sources
      .filter(({ path, imports }) => !entryPoints.includes(path) && imports.some((one) => one.reExport))
      .map(({ path }) => path);
    expect(barrels).toEqual([]);
  });
});
