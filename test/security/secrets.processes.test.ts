/** What a process prints, whatever happens to its sessions, holds no id, token, secret or value. */
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { repository } from "../support/source-files.ts";

const folder = mkdtempSync(join(tmpdir(), "fastsession-secrets-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Runs the child to its end. Answers what it printed, and what it must not have. */
async function run(...leak: string[]): Promise<{ printed: string; secrets: string[] }> {
  const file = join(folder, `secrets${leak.join("")}.json`);
  const program = join(repository, "test/security/secrets-child.ts");
  const { stdout, stderr } = await promisify(execFile)(process.execPath, ["--import", "tsx", program, file, ...leak], {
    maxBuffer: 1 << 28,
    env: { ...process.env, NODE_ENV: "test", NO_COLOR: "1" },
  });
  return { printed: stdout + stderr, secrets: JSON.parse(readFileSync(file, "utf8")) as string[] };
}

/** Long enough to be no accident, short enough for the shortest secret. */
const HEAD = 12;

/** Where one of the secrets stands in what was printed, as it is or in an encoding, without the secret itself. */
function leaks(output: string, secrets: readonly string[]): string[] {
  // Node prints numbers in columns.
  const printed = output.replaceAll(/(?<=\d,)\s+(?=\d)/g, "");
  const heads = new Map<string, Set<string>>();
  for (const secret of secrets) {
    const bytes = Buffer.from(secret);
    const encoded = [bytes.toString("hex"), bytes.toString("base64"), encodeURIComponent(secret)];
    // As Node prints a Buffer, which shows fifty bytes, and a Uint8Array.
    const listed = [
      bytes
        .subarray(0, 50)
        .toString("hex")
        .replaceAll(/..(?=.)/g, "$& "),
      [...bytes].join(),
    ];
    for (const text of [secret, ...encoded, ...listed]) {
      const head = text.slice(0, HEAD);
      // Without the end: in base64 the last characters depend on what follows.
      heads.set(head, (heads.get(head) ?? new Set()).add(text.slice(0, -4)));
    }
  }
  const found: string[] = [];
  for (let at = 0; at < printed.length - HEAD; at++) {
    for (const text of heads.get(printed.slice(at, at + HEAD)) ?? []) {
      if (printed.startsWith(text, at)) found.push(`${printed.slice(Math.max(0, at - 200), at)}<SECRET>`);
    }
  }
  return found;
}

let whole: Awaited<ReturnType<typeof run>>;
beforeAll(async () => {
  whole = await run();
});

describe("a process that goes every way there is, at logLevel debug,", () => {
  test("prints, logs, throws and tells listeners no id, cookie, token, secret, value or metadata", () => {
    expect(whole.secrets.length).toBeGreaterThan(200);
    expect(leaks(whole.printed, whole.secrets).slice(0, 10)).toEqual([]);
  });

  test("ends by itself when its servers are closed, with no timer or handle left", () => {
    expect(whole.printed.includes("the end\n")).toBe(true);
  });

  test("tells of every event and every kind of failure, so that there was something to search", () => {
    const events =
      "created renewed rotated reuse destroyed revoked gone conflict corrupt newer invalid refused csrf store-error".split(
        " ",
      );
    const codes =
      "STORE STORE_UNKNOWN UNAVAILABLE GONE CONFLICT LOCKED DESTROYED HEADERS_SENT VALUE TOO_LARGE FIELD_TYPE INVALID";
    const told = [...events.map((name) => `event ${name} `), ...codes.split(" ").map((code) => `ERR_SESSION_${code}`)];
    expect(told.filter((text) => !whole.printed.includes(text))).toEqual([]);
    expect(/\[fastsession\] .*fewer than 32 bytes/.test(whole.printed)).toBe(true);
  });
});

test("a secret that is printed is found, as a text, as a Buffer and as bytes", async () => {
  const { printed, secrets } = await run("0");
  expect(leaks(printed, secrets)).toHaveLength(3);
});
