import { build } from "esbuild";
import { type ChildProcess, execFile, fork, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { StoredSession } from "../../src/core/session-record.ts";
import { openFile } from "../../src/stores/sqlite-driver.ts";
import { SqliteStore } from "../../src/stores/sqlite.ts";

const NOW = Date.UTC(2030, 0, 1);
const program = join(import.meta.dirname, "sqlite-child.ts");

let folder = "";
let path = "";
const children: ChildProcess[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "fastsession-"));
  path = join(folder, "sessions.sqlite");
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
  rmSync(folder, { recursive: true });
});

/** Starts a process and waits until it is ready for its task. */
async function start(task: "count" | "write" | "read", name = "", identity = {}): Promise<ChildProcess> {
  const child = fork(program, [path, task, name], { execArgv: ["--import", "tsx"], ...identity });
  children.push(child);
  await once(child, "message");
  return child;
}

/** The same for a process that may make no file larger than this, as on a disk that is full. In bytes. */
async function startLimited(task: "fill", limit: number): Promise<ChildProcess> {
  const command = ["-c", `ulimit -f ${limit / 512} && exec "$@"`, "sh", process.execPath, "--import", "tsx", program];
  const child = spawn("sh", [...command, path, task], { stdio: ["ignore", "inherit", "inherit", "ipc"] });
  children.push(child);
  await once(child, "message");
  return child;
}

async function answerOf(child: ChildProcess): Promise<unknown> {
  const answer = once(child, "message");
  child.send("go");
  return ((await answer) as unknown[])[0];
}

function create(store: SqliteStore, fields: Record<string, string>): void {
  const record = { key: "k", fields, handle: "h", createdAt: NOW, lastUsedAt: NOW, expiresAt: NOW + 1_000_000 };
  expect(store.create(record, { operation: "o", now: NOW })).toMatchObject({ ok: true });
}

function fieldsOf(store: SqliteStore): StoredSession["fields"] {
  return (store.load("k", NOW) as StoredSession).fields;
}

test("four processes that start on no file make it once, and none of their writes is lost", async () => {
  const names = ["p", "q", "r", "s"];
  const processes = await Promise.all(names.map((name) => start("count", name)));
  const answers = (await Promise.all(processes.map(answerOf))) as { created: boolean; conflicts: number }[];
  expect(answers.filter(({ created }) => created)).toHaveLength(1);

  const store = new SqliteStore(path);
  const { counter, ...own } = fieldsOf(store);
  expect(counter).toBe("200");
  const expected = names.flatMap((name) => Array.from({ length: 50 }, (_, n) => `${name}${n}`));
  expect(Object.keys(own).sort()).toEqual(expected.sort());
  await store.close();
});

test("a process killed while it writes leaves whole records and every acknowledged write", async () => {
  const store = new SqliteStore(path);
  create(store, {});
  for (let round = 0; round < 3; round += 1) {
    const child = await start("write");
    let acknowledged = 0;
    const enough = new Promise<void>((resolve) => {
      child.on("message", (n: number) => {
        acknowledged = n;
        if (n === 20 + 7 * round) resolve();
      });
    });
    child.send("go");
    await enough;
    child.kill("SIGKILL");
    await once(child, "exit");

    const { a, b } = fieldsOf(store);
    expect(b).toBe("x".repeat(9000) + a);
    expect(Number(a)).toBeGreaterThanOrEqual(acknowledged);
    expect(store.commit("k", { operation: "after", now: NOW, set: { c: "1" } })).toMatchObject({ ok: true });
  }
  await store.close();
  const db = openFile(path);
  expect(db.prepare("pragma integrity_check").get()).toMatchObject({ integrity_check: "ok" });
  db.close();
});

test("a process that the system lets write no more fails the write, keeps what was acknowledged, and goes on with space", async () => {
  const store = new SqliteStore(path);
  create(store, {});
  const child = await startLimited("fill", 2 ** 20);
  const { acknowledged, ...answer } = (await answerOf(child)) as { acknowledged: number };
  expect(answer).toEqual({ failure: expect.stringMatching(/^ERR_SESSION_STORE: /), read: `${acknowledged}` });
  expect(acknowledged).toBeGreaterThan(0);
  expect(fieldsOf(store)).toEqual({ a: `${acknowledged}`, b: "x".repeat(50_000) + acknowledged });

  // Empties the log, which had reached the limit.
  const db = openFile(path);
  db.exec("pragma wal_checkpoint(truncate)");
  expect(await answerOf(child)).toBe(`${acknowledged + 1}`);
  expect(fieldsOf(store)["a"]).toBe(`${acknowledged + 1}`);
  expect(db.prepare("pragma integrity_check").get()).toMatchObject({ integrity_check: "ok" });
  db.close();
  await store.close();
});

test("a file that a process may only read is read, and not written", async () => {
  const store = new SqliteStore(path);
  create(store, { a: "0" });
  for (const file of readdirSync(folder)) chmodSync(join(folder, file), 0o444);
  chmodSync(folder, 0o555);
  // Permissions do not bind the superuser.
  const identity = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {};
  const child = await start("read", "", identity);
  expect(await answerOf(child)).toEqual({
    fields: { a: "0" },
    failure: expect.stringMatching(/^ERR_SESSION_STORE: .*may not be written/),
  });
  chmodSync(folder, 0o755);
  await store.close();
});

test.skipIf(process.getBuiltinModule("node:sqlite") !== undefined)(
  "without any driver, the error has the line that installs one",
  async () => {
    const file = join(folder, "no-driver.mjs");
    await build({
      stdin: {
        contents: `import { SqliteStore } from "./src/stores/sqlite.ts";
          const store = new SqliteStore(${JSON.stringify(path)});
          try { store.open() } catch (error) { console.log(error.code, error.message) }`,
        resolveDir: join(import.meta.dirname, "../.."),
      },
      bundle: true,
      platform: "node",
      format: "esm",
      outfile: file,
    });
    const { stdout } = await promisify(execFile)(process.execPath, [file], { cwd: folder });
    expect(stdout).toMatch(/^ERR_SESSION_STORE .*npm install libsql/);
  },
);
