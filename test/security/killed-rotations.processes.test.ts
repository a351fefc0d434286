/** A process that is killed while it gives a session a new id: the session has one id afterwards, the old or the new one. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { SqliteStore } from "../../src/stores/sqlite.ts";
import { HOUR, keyNumber, NOW, USER } from "./rotating-session.ts";

const KILLS = 6;
const folder = mkdtempSync(join(tmpdir(), "fastsession-rotations-"));
const path = join(folder, "sessions.sqlite");
const children: ChildProcess[] = [];

afterAll(() => {
  for (const child of children) child.kill("SIGKILL");
  rmSync(folder, { recursive: true });
});

/** Starts the child at a key and kills it when it has acknowledged some more. Answers the last that it acknowledged. */
async function rotateFrom(first: number, count: number): Promise<number> {
  const child = fork(join(import.meta.dirname, "rotating-child.ts"), [path, String(first)], {
    execArgv: ["--import", "tsx"],
  });
  children.push(child);
  await once(child, "message");
  let acknowledged = first;
  const enough = new Promise<void>((resolve) => {
    child.on("message", (n: number) => {
      acknowledged = n;
      if (n >= first + count) resolve();
    });
  });
  child.send("go");
  await enough;
  child.kill("SIGKILL");
  await once(child, "exit");
  return acknowledged;
}

test("a process killed while it rotates leaves one usable id, whole data and an index that knows it", async () => {
  const store = new SqliteStore(path);
  const times = { createdAt: NOW, lastUsedAt: NOW, expiresAt: NOW + HOUR };
  const bind = { userId: USER, metadata: {}, maxAge: null };
  const record = { key: keyNumber(0), fields: { a: "0", b: "x".repeat(9000) + 0 }, handle: "the handle", ...times };
  await store.create(record, { operation: "first", now: NOW, bind });
  let first = 0;
  for (let kill = 0; kill < KILLS; kill += 1) {
    const acknowledged = await rotateFrom(first, 10 + 3 * kill);
    const found = Array.from({ length: acknowledged + 3 }, (_, n) => store.load(keyNumber(n), NOW));
    const alive = found.flatMap((one, n) => (one?.kind === "session" ? [n] : []));
    expect(alive).toHaveLength(1);
    const [last] = alive as [number];
    // What was acknowledged has happened; of the one under way nobody was told.
    expect(last).toBeGreaterThanOrEqual(acknowledged);
    expect(found.slice(0, last).every((one) => one?.kind === "tombstone")).toBe(true);
    expect(found[last]).toMatchObject({
      handle: "the handle",
      fields: { a: `${last}`, b: "x".repeat(9000) + last },
      binding: { userId: USER },
    });
    const { sessions } = store.listByUser(USER, { now: NOW, limit: 9 });
    expect(sessions.map(({ handle }) => handle)).toEqual(["the handle"]);
    first = last;
  }
  await store.close();
});
