import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { Encryption } from "../../src/core/encryption.ts";
import { fieldTexts } from "../../src/core/field-texts.ts";
import { Log } from "../../src/core/logger.ts";
import type { Fields } from "../../src/core/session-record.ts";
import { createSessions, type Sessions } from "../../src/create-sessions.ts";
import { openFile } from "../../src/stores/sqlite-driver.ts";
import { SqliteStore } from "../../src/stores/sqlite.ts";
import { Browser } from "../support/browser.ts";

const secretKey = "a secret of these tests, which everybody can read";
const encryption = { keys: ["a key of these tests, which everybody can read"] };
const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
const folder = mkdtempSync(join(tmpdir(), "fastsession-encryption-"));
afterAll(() => rmSync(folder, { recursive: true }));

let files = 0;

/** Two users' sessions in a file that somebody can write to who cannot read it. */
async function scene() {
  const path = join(folder, `${(files += 1)}.sqlite`);
  const open = (): Sessions =>
    createSessions({ secretKey, store: new SqliteStore(path), encryption, logLevel: "silent", sweepInterval: 0 });
  const sessions = open();
  const cookies: string[] = [];
  for (const [user, role] of [
    ["ann", "admin"],
    ["eve", "guest"],
  ] as const) {
    const browser = new Browser(sessions);
    await browser.visit((session) => session.login(user));
    await browser.visit((session) => session.set("role", role));
    cookies.push(browser.cookie as string);
  }
  await sessions.close();
  /** Runs statements on the file, then asks who the bearer of each cookie is. */
  const after = async (...statements: string[]): Promise<unknown[]> => {
    const db = openFile(path);
    for (const sql of statements) db.exec(sql);
    db.close();
    const again = open();
    const found: unknown[] = [];
    for (const cookie of cookies) {
      const { result } = await new Browser(again, cookie).visit((session) => {
        const role: unknown = session["role"];
        return [session.info.cause, role];
      });
      found.push(result);
    }
    await again.close();
    return found;
  };
  return after;
}

const session = (user: string): string => `(select id from fastsession_sessions where user_id = '${user}')`;

describe("encrypted records", () => {
  it("whose values were swapped are both unreadable, and both sessions end", async () => {
    const after = await scene();
    expect(await after()).toEqual([
      ["resumed", "admin"],
      ["resumed", "guest"],
    ]);
    const swapped = await after(
      `update fastsession_fields set session = -1 where session = ${session("ann")}`,
      `update fastsession_fields set session = ${session("ann")} where session = ${session("eve")}`,
      `update fastsession_fields set session = ${session("eve")} where session = -1`,
    );
    expect(swapped).toEqual([
      ["corrupt", undefined],
      ["corrupt", undefined],
    ]);
  });

  it("that were swapped as wholes, handle and user with them, are not told apart: the documented limit", async () => {
    const after = await scene();
    const keyOf = (user: string): string => `(select key from fastsession_sessions where user_id = '${user}')`;
    const swapped = await after(
      `create temp table kept as select ${keyOf("ann")} as ann, ${keyOf("eve")} as eve`,
      "update fastsession_sessions set key = 'kept' where user_id = 'ann'",
      "update fastsession_sessions set key = (select ann from kept) where user_id = 'eve'",
      "update fastsession_sessions set key = (select eve from kept) where user_id = 'ann'",
    );
    expect(swapped).toEqual([
      ["resumed", "guest"],
      ["resumed", "admin"],
    ]);
  });
});

describe("nonces", () => {
  const SEALS = 100_000;

  it("of 100,000 texts under one key are all different, and so are all ciphertexts", () => {
    const texts = fieldTexts(new Encryption(encryption, "sid", new Log(silent, "silent")), {
      handle: "handle-of-tests",
      saved: true,
    });
    const sealed: Fields[string][] = Array.from({ length: SEALS }, () => texts.seal("field", '"a value"'));
    const nonces = new Set(sealed.map((text) => text.split(".")[2]?.slice(0, 16)));
    const bodies = new Set(sealed.map((text) => text.split(".")[2]?.slice(16)));
    expect([nonces.size, bodies.size]).toEqual([SEALS, SEALS]);
    // Of 96 bits each is set half of the time: nothing of them is a counter, a clock or a constant.
    const ones = new Uint32Array(96);
    for (const nonce of nonces) {
      for (const [at, byte] of Buffer.from(nonce as string, "base64url").entries()) {
        for (let bit = 0; bit < 8; bit += 1)
          if ((byte >> bit) & 1) ones[at * 8 + bit] = (ones[at * 8 + bit] as number) + 1;
      }
    }
    for (const count of ones) expect(Math.abs(count / SEALS - 0.5)).toBeLessThan(0.01);
  });
});
