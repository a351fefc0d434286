import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { manifest, subpaths } from "../support/manifest.ts";
import { filesBelow } from "../support/source-files.ts";
import { installTarball, lend, type PackedProject, readTarball, remove, run, runTool } from "./packed-project.ts";

const names = subpaths.map(([name]) => name);
const frameworks = Object.keys(manifest.peerDependencies);

/** Subpaths whose declarations name a framework's types. */
const forFrameworks = names.filter((name) => /\/(express|fastify|hono|koa|nest)$/.test(name));

/** What a subpath needs while it runs: Nest's decorators are values. */
const neededBy: Readonly<Record<string, readonly string[]>> = {
  "fastsession/nest": ["@nestjs/common", "@nestjs/core"],
};

let project: PackedProject;

beforeAll(async () => {
  project = await installTarball();
});
afterAll(() => remove(project));

describe("the packed tarball", () => {
  test("holds the code and declarations of every file of src, the sources they map to, and no more", () => {
    const built = filesBelow("src").flatMap((file) => {
      const stem = file.replace(/\.ts$/, "");
      const outputs = [".js", ".js.map", ".d.ts", ".d.ts.map"].map((ending) => `dist/${stem}${ending}`);
      return [`src/${file}`, ...outputs];
    });
    const others = project.packed.filter((path) => !/^(README(\.\w+)?|CHANGELOG)\.md$/.test(path));
    expect(others.toSorted()).toEqual([...built, "LICENSE", "package.json"].toSorted());
    expect(project.packed).toEqual(expect.arrayContaining(["README.md", "CHANGELOG.md"]));
  });

  test("passes publint", async () => {
    const { messages, pkg } = await publint({ pack: { tarball: await readTarball(project) }, strict: true });
    const faults = messages.filter(({ type }) => type !== "suggestion");
    expect(faults.map((message) => formatMessage(message, pkg))).toEqual([]);
  });

  test("resolves to right types in every subpath, by are-the-types-wrong", async () => {
    const attw = "@arethetypeswrong/cli/dist/index.js";
    const options = ["--profile", "esm-only", "--no-definitely-typed", "--format", "ascii", "--no-emoji"];
    // It fails by its exit code when a type is wrong; what it prints shows which subpaths it looked at.
    const report = await runTool(project.folder, attw, project.tarball, ...options);
    for (const name of names) expect(report).toContain(`"${name}"`);
  });
});

describe("in an empty project", () => {
  test("installs nothing beside itself", async () => {
    const installed = await readdir(join(project.folder, "node_modules"));
    expect(installed.filter((name) => !name.startsWith("."))).toEqual(["fastsession"]);
  });

  test("runs nothing when it is installed", async () => {
    const folder = join(project.folder, "node_modules/fastsession");
    const installed = JSON.parse(await readFile(join(folder, "package.json"), "utf8")) as {
      readonly scripts?: Readonly<Record<string, string>>;
      readonly bin?: unknown;
      readonly gypfile?: unknown;
    };
    // npm runs these of a package out of a registry, and node-gyp where a file says so; "prepare" is for a checkout alone.
    const run = Object.keys(installed.scripts ?? {}).filter((name) => /^(pre|post)?install$|^dependencies$/.test(name));
    expect([run, installed.bin, installed.gypfile]).toEqual([[], undefined, undefined]);
    expect(project.packed.filter((path) => path.endsWith(".gyp"))).toEqual([]);
  });

  test.for(names)("%s is imported and required, with the same names", async (name) => {
    await lend(project, neededBy[name] ?? []);
    const list = "console.log(Object.keys(it).filter((key) => key !== 'module.exports').join())";
    const imported = await run(
      project.folder,
      "node",
      "--input-type=module",
      "-e",
      `import * as it from "${name}"; ${list}`,
    );
    const required = await run(
      project.folder,
      "node",
      "--input-type=commonjs",
      "-e",
      `const it = require("${name}"); ${list}`,
    );
    expect(imported.trim()).not.toBe("");
    expect(required.trim().split(",")).toEqual(imported.trim().split(","));
  });

  test("hides its inner files", async () => {
    const inner = run(
      project.folder,
      "node",
      "--input-type=module",
      "-e",
      'import "fastsession/dist/core/sessions.js"',
    );
    await expect(inner).rejects.toThrow("ERR_PACKAGE_PATH_NOT_EXPORTED");
  });
});

describe("a consumer in TypeScript compiles", () => {
  const resolutions = { nodenext: "nodenext", bundler: "esnext" };

  async function compile(
    subfolder: string,
    resolution: keyof typeof resolutions,
    imported: readonly string[],
  ): Promise<string> {
    const folder = join(project.folder, `${subfolder}-${resolution}`);
    const compilerOptions = {
      module: resolutions[resolution],
      moduleResolution: resolution,
      target: "es2022",
      lib: ["es2023"],
      types: ["node"],
      strict: true,
      exactOptionalPropertyTypes: true,
      skipLibCheck: subfolder === "frameworks",
      noEmit: true,
    };
    const lines = imported.map((name, index) => `export * as part${index} from "${name}";`);
    const use = [
      'import { createSessions } from "fastsession";',
      'const sessions = createSessions<{ counter: number }>({ secretKey: "x".repeat(32), maxAge: 60 });',
      "export const closed: Promise<void> = Promise.resolve(sessions.close());",
      "// @ts-expect-error an option of this name does not exist",
      'createSessions({ secretKey: "x".repeat(32), lifetime: 60 });',
    ];
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, files: ["consumer.ts"] }));
    await writeFile(join(folder, "consumer.ts"), [...lines, ...use, ""].join("\n"));
    return runTool(folder, "typescript/bin/tsc", "-p", ".");
  }

  beforeAll(() => lend(project, ["@types/node"]));

  test.for(["nodenext", "bundler"] as const)(
    "with %s, no framework there and libraries checked",
    async (resolution) => {
      const plain = names.filter((name) => !forFrameworks.includes(name));
      expect(await compile("plain", resolution, plain)).toBe("");
    },
  );

  test("with the frameworks there, every subpath", async () => {
    const lent = new Set(Object.values(neededBy).flat());
    await lend(project, [...frameworks.filter((name) => !lent.has(name)), "@types/express", "@types/koa"]);
    expect(await compile("frameworks", "nodenext", names)).toBe("");
    expect(await compile("frameworks", "bundler", names)).toBe("");
  });
});
