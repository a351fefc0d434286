/** Clients that leave in the middle of a request, of whom nothing may be kept: real sockets, in a process of its own. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { beforeAll, describe, expect, test } from "vitest";
import { repository } from "../support/source-files.ts";

const CLIENTS = 1000;
const POINTS = [
  "while the session is read",
  "in the handler",
  "while the change is saved",
  "in the middle of the body",
  "after the response",
];

interface Report {
  /** Of requests, responses, sessions and signals: how many are still held by anything. */
  readonly remains: Readonly<Record<string, number>>;
  /** Bytes of heap that all the clients left behind. */
  readonly growth: number;
  readonly troubles: readonly string[];
}

let report: Report;

beforeAll(async () => {
  const child = join(repository, "test/security/departures-child.ts");
  const { stdout } = await promisify(execFile)(process.execPath, [
    "--expose-gc",
    "--import",
    "tsx",
    child,
    String(CLIENTS),
  ]);
  report = JSON.parse(stdout) as Report;
});

describe(`${CLIENTS.toLocaleString("en")} clients that leave`, () => {
  test.each(POINTS)("%s leave nothing of their requests", (point) => {
    expect(report.remains[point]).toBe(0);
  });

  test("at each of these points leave the heap as it was, crash nothing, and what they recorded is saved", () => {
    expect(report.troubles).toEqual([]);
    // A request with its session takes thousands; a list of timers, 70.
    expect(report.growth / (CLIENTS * POINTS.length)).toBeLessThan(40);
  });
});
