/** A flood of visitors who each make a session, on a memory store that has bounds: what of the heap they take. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { repository } from "../support/source-files.ts";

/** Sessions of the flood take 500 bytes, what is left of those that ended 300. */
const [SESSION, TOMBSTONE] = [600, 400];

async function flood(visitors: number, options: object): Promise<{ readonly size: number; readonly most: number }> {
  const child = join(repository, "test/security/flood-child.ts");
  const flags = ["--expose-gc", "--import", "tsx", child, String(visitors), JSON.stringify(options)];
  const { stdout } = await promisify(execFile)(process.execPath, flags);
  return JSON.parse(stdout) as { size: number; most: number };
}

test("a million sessions take no more of the heap than maxSessions of them", async () => {
  const maxSessions = 10_000;
  const { size, most } = await flood(1_000_000, { maxSessions });
  expect(size).toBeLessThanOrEqual(maxSessions);
  expect(most).toBeLessThan(maxSessions * (SESSION + TOMBSTONE));
});

test("300,000 sessions take no more of the heap than maxBytes and a third", async () => {
  const [maxSessions, maxBytes] = [20_000, 5_000_000];
  const { size, most } = await flood(300_000, { maxSessions, maxBytes });
  expect(size).toBeGreaterThan(5000);
  expect(size).toBeLessThan(maxSessions);
  expect(most).toBeLessThan((maxBytes * 4) / 3 + maxSessions * TOMBSTONE);
});
