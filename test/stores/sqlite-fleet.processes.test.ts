import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, it } from "vitest";

const SERVER = fileURLToPath(new URL("../support/fleet-server.ts", import.meta.url));

interface Fleet {
  /** Sends a request to one of the processes, in turn, and keeps the cookie. */
  get(
    path: string,
    options?: { process?: number; cookie?: string },
  ): Promise<{ data: Record<string, unknown>; cause: string; userId: string | null }>;
  cookie: string;
}

const children: ChildProcess[] = [];
const folders: string[] = [];

afterEach(async () => {
  await Promise.all(
    children.splice(0).map((child) => {
      const ended = new Promise((resolve) => child.once("exit", resolve));
      child.stdin?.end();
      return ended;
    }),
  );
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

async function start(size: number): Promise<Fleet> {
  const folder = mkdtempSync(join(tmpdir(), "fastsession-fleet-"));
  folders.push(folder);
  const ports = await Promise.all(
    Array.from({ length: size }, async () => {
      const child = spawn(process.execPath, ["--import", "tsx", SERVER, join(folder, "sessions.sqlite")], {
        stdio: ["pipe", "pipe", "inherit"],
      });
      children.push(child);
      return new Promise<number>((resolve, reject) => {
        child.once("exit", () => reject(new Error("a process of the fleet ended")));
        child.stdout?.once("data", (chunk: Buffer) => resolve(Number(String(chunk))));
      });
    }),
  );
  let turn = 0;
  const fleet: Fleet = {
    cookie: "",
    async get(path, { process: at = turn++, cookie = fleet.cookie } = {}) {
      const response = await fetch(`http://127.0.0.1:${ports[at % size]}${path}`, { headers: { cookie } });
      for (const line of response.headers.getSetCookie()) fleet.cookie = line.split(";", 1)[0] as string;
      expect(response.status).toBe(200);
      return (await response.json()) as Awaited<ReturnType<Fleet["get"]>>;
    },
  };
  return fleet;
}

describe.each([1, 4])("%i processes on one SQLite file", (size) => {
  it("keep 200 parallel increments and the own keys of 50 parallel requests", async () => {
    const fleet = await start(size);
    await fleet.get("/increment");
    await Promise.all(Array.from({ length: 199 }, () => fleet.get("/increment")));
    await Promise.all(Array.from({ length: 50 }, (_, index) => fleet.get(`/set?field=key${index}`)));
    const { data } = await fleet.get("/");
    expect(data["n"]).toBe(200);
    expect(Object.keys(data).filter((name) => name.startsWith("key"))).toHaveLength(50);
  });

  it("let a slow writer bring no ended session back", async () => {
    const fleet = await start(size);
    await fleet.get("/login?field=ann");
    const before = fleet.cookie;
    const slow = fleet.get("/slow-write", { process: 0, cookie: before });
    expect((await fleet.get("/entered", { process: 0, cookie: before })).userId).toBe("ann");
    await fleet.get("/logout", { process: size - 1 });
    await fleet.get("/finish", { process: 0, cookie: "" });
    await slow;
    const late = await fleet.get("/", { process: size - 1, cookie: before });
    expect([late.cause, late.userId, late.data]).toEqual(["revoked", null, {}]);
  });
});
