import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { repository } from "../support/source-files.ts";

/** A project outside the repository that has the packed tarball installed and nothing else. */
export interface PackedProject {
  readonly folder: string;
  readonly tarball: string;
  /** Paths in the tarball, without the leading `package/`. */
  readonly packed: readonly string[];
}

/** Runs a program in a folder; what it printed is part of the error when it fails. */
export async function run(folder: string, program: string, ...parameters: string[]): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)(program, parameters, { cwd: folder, maxBuffer: 1 << 24 });
    return stdout;
  } catch (cause) {
    const { stdout = "", stderr = "" } = cause as { stdout?: string; stderr?: string };
    throw new Error(`${program} ${parameters.join(" ")}\n${stdout}${stderr}`, { cause });
  }
}

/** Runs one of the repository's tools, by the path of its script. */
export function runTool(folder: string, script: string, ...parameters: string[]): Promise<string> {
  return run(folder, process.execPath, join(repository, "node_modules", script), ...parameters);
}

/** Packs what `npm run build` left in `dist`, and installs it as a user would. */
export async function installTarball(): Promise<PackedProject> {
  const folder = await mkdtemp(join(tmpdir(), "fastsession-package-"));
  const report = await run(repository, "npm", "pack", "--ignore-scripts", "--json", "--pack-destination", folder);
  const [entry] = JSON.parse(report) as { filename: string; files: { path: string }[] }[];
  if (entry === undefined) throw new Error(`npm pack answered ${report}`);
  const tarball = join(folder, entry.filename);
  await writeFile(join(folder, "package.json"), JSON.stringify({ private: true, type: "module" }));
  await run(folder, "npm", "install", "--offline", "--ignore-scripts", "--no-audit", "--no-fund", tarball);
  return { folder, tarball, packed: entry.files.map(({ path }) => path) };
}

/** Lends the project packages of the repository, for checks of types that need a framework. */
export async function lend(project: PackedProject, packages: readonly string[]): Promise<void> {
  for (const name of packages) {
    const link = join(project.folder, "node_modules", name);
    await mkdir(dirname(link), { recursive: true });
    await symlink(join(repository, "node_modules", name), link, "dir");
  }
}

export async function readTarball({ tarball }: PackedProject): Promise<ArrayBuffer> {
  const bytes = await readFile(tarball);
  return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
}

export function remove(project: PackedProject): Promise<void> {
  return rm(project.folder, { recursive: true, force: true });
}
