/**
 * Real servers and browsers for the tests, from the Debian packages the machine can reach.
 *
 * Packages are unpacked into a folder that git ignores: no root is needed, nothing is installed, no service starts.
 * Where that fails and the tests run as root, they are installed instead.
 */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { chmod, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const execute = promisify(execFile);
const cache = fileURLToPath(new URL("../../.cache/debian/", import.meta.url));

/**
 * The folder under which the packages' files stand (`<folder>/usr/bin/…`), with all they depend on that this machine
 * lacks. Fetched once and kept; `/` where they had to be installed.
 */
export async function debianPackages(...names: readonly string[]): Promise<string> {
  const digest = createHash("sha256")
    .update(`${process.arch} ${names.join(" ")}`)
    .digest("hex");
  const folder = join(cache, `${names[0]}-${digest.slice(0, 8)}`);
  if (existsSync(folder)) return folder;
  await mkdir(cache, { recursive: true });
  return alone(`${folder}.lock`, async () => {
    if (existsSync(folder)) return folder;
    const work = await mkdtemp(join(cache, "fetch-"));
    try {
      // A rename is atomic: nobody finds half of it, also where the lock was lost.
      await rename(await unpack(names, work), folder).catch((error: unknown) => {
        if (!existsSync(folder)) throw error;
      });
      return folder;
    } catch (error) {
      if (process.getuid?.() !== 0) throw error;
      await install(names);
      return "/";
    } finally {
      await rm(work, { recursive: true, force: true });
    }
  });
}

/** Runs `work` while no other process does: those that start at once fetch a package once. */
async function alone<T>(lock: string, work: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      await writeFile(lock, String(process.pid), { flag: "wx" });
      break;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
    const holder = Number(await readFile(lock, "utf8").catch(() => ""));
    if (holder > 0 && !isAlive(holder)) await rm(lock, { force: true });
    else await new Promise((resolve) => setTimeout(resolve, 100));
  }
  try {
    return await work();
  } finally {
    await rm(lock, { force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** The environment in which a program from an unpacked folder finds its libraries. For that program only. */
export async function debianEnvironment(folder: string): Promise<NodeJS.ProcessEnv> {
  const libraries = await libraryFolders(folder);
  return libraries.length === 0 ? process.env : { ...process.env, LD_LIBRARY_PATH: libraries.join(":") };
}

/**
 * The path of a Chromium: `CHROMIUM_PATH`, one on PATH, or one made of Debian packages.
 *
 * @throws Error naming `CHROMIUM_PATH` where there is none and none can be fetched.
 */
export async function findChromium(): Promise<string> {
  const path = process.env["CHROMIUM_PATH"] ?? onPath("chromium", "chromium-browser", "google-chrome");
  if (path !== undefined) return path;
  try {
    const folder = await debianPackages("chromium", "fonts-liberation");
    return folder === "/" ? "/usr/bin/chromium" : await chromiumLauncher(folder);
  } catch (cause) {
    throw new Error("No Chromium here and none to be fetched: set CHROMIUM_PATH to the path of one.", { cause });
  }
}

function onPath(...programs: readonly string[]): string | undefined {
  const folders = [...(process.env["PATH"] ?? "").split(delimiter), "/usr/bin"];
  return programs.flatMap((program) => folders.map((folder) => join(folder, program))).find((path) => existsSync(path));
}

/** A script that starts the unpacked browser with its own libraries and fonts. */
async function chromiumLauncher(folder: string): Promise<string> {
  const launcher = join(folder, "chromium.sh");
  if (existsSync(launcher)) return launcher;
  const fonts = join(folder, "fonts.conf");
  await writeFile(fonts, fontSettings(folder));
  const lines = [
    "#!/bin/sh",
    `export LD_LIBRARY_PATH='${(await libraryFolders(folder)).join(":")}'`,
    `export FONTCONFIG_FILE='${fonts}'`,
    `exec '${join(folder, "usr/lib/chromium/chromium")}' "$@"`,
  ];
  const draft = `${launcher}.${process.pid}`;
  await writeFile(draft, `${lines.join("\n")}\n`);
  await chmod(draft, 0o755);
  await rename(draft, launcher);
  return launcher;
}

/** Packages find their fonts through links that only an installation makes. */
function fontSettings(folder: string): string {
  const aliases = Object.entries({
    "Liberation Sans": ["sans-serif", "Arial", "Helvetica"],
    "Liberation Serif": ["serif", "Times New Roman"],
    "Liberation Mono": ["monospace", "Courier New"],
  }).flatMap(([font, families]) =>
    families.map((family) => `<alias><family>${family}</family><prefer><family>${font}</family></prefer></alias>`),
  );
  const folders = `<dir>${join(folder, "usr/share/fonts")}</dir><cachedir>${join(folder, "var/cache/fonts")}</cachedir>`;
  return ["<fontconfig>", folders, ...aliases, "</fontconfig>", ""].join("\n");
}

/** `/usr/lib/<machine>-linux-gnu` and the folders right below it, where some packages hide libraries of their own. */
async function libraryFolders(folder: string): Promise<string[]> {
  if (folder === "/") return [];
  const folders: string[] = [];
  for (const parent of [join(folder, "usr/lib"), join(folder, "lib")]) {
    const machines = (await subfolders(parent)).filter((path) => path.endsWith("-linux-gnu"));
    for (const machine of machines) folders.push(machine, ...(await subfolders(machine)));
  }
  return folders;
}

async function subfolders(folder: string): Promise<string[]> {
  if (!existsSync(folder)) return [];
  const entries = await readdir(folder, { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory()).map((entry) => join(folder, entry.name));
}

/** Downloads the packages with apt's own lists kept in `work`, so that no system folder is written. */
async function unpack(names: readonly string[], work: string): Promise<string> {
  const [lists, archives, root] = [join(work, "lists"), join(work, "archives"), join(work, "root")];
  for (const folder of [join(lists, "partial"), join(archives, "partial"), root])
    await mkdir(folder, { recursive: true });
  const settings = {
    "Dir::State::Lists": lists,
    "Dir::Cache": work,
    "Dir::Cache::pkgcache": "",
    "Dir::Cache::srcpkgcache": "",
    "APT::Sandbox::User": "", // as root apt would drop to a user who cannot write here
  };
  const options = ["-qq", ...Object.entries(settings).flatMap(([name, value]) => ["-o", `${name}=${value}`])];
  const apt = (...rest: string[]) => execute("apt-get", [...options, ...rest], { cwd: archives, maxBuffer: 1 << 24 });
  await apt("update");
  const plan = await apt("--simulate", "--no-install-recommends", "install", ...names);
  const missing = [...plan.stdout.matchAll(/^Inst (\S+)/gm)].map((match) => match[1] ?? "");
  await apt("download", ...new Set([...names, ...missing]));
  const files = (await readdir(archives)).filter((name) => name.endsWith(".deb"));
  for (const file of files) await execute("dpkg", ["-x", join(archives, file), root]);
  return root;
}

async function install(names: readonly string[]): Promise<void> {
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  await execute("apt-get", ["-qq", "update"], { env });
  await execute("apt-get", ["-qq", "-y", "--no-install-recommends", "install", ...names], { env, maxBuffer: 1 << 24 });
}
