import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { attacks, SECRET, type Started, startStage } from "../../red-team/run.mjs";
import { startWeakServer } from "../../red-team/weak-server.mjs";
import { type Demo, startDemo } from "../e2e/demo-process.ts";

const names = Object.keys(attacks);
/** The browser's part, which no server can get wrong. */
const browsers = "tossing: a sibling domain plants a valid cookie under the production name";

async function attack(name: string, url: string, stage: string): Promise<string | null> {
  const run = attacks[name];
  if (run === undefined) throw new Error(`no attack ${name}`);
  return run({ url, secret: SECRET, stage });
}

describe("against the demo", () => {
  let folder: string;
  let demo: Demo;
  let stage: Started;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "fastsession-red-team-"));
    [demo, stage] = await Promise.all([startDemo(folder, 0, SECRET), startStage()]);
  });
  afterAll(async () => {
    await Promise.all([demo?.stop(), stage?.stop()]);
    rmSync(folder, { recursive: true, force: true });
  });

  test.each(names)("the attack fails: %s", async (name) => {
    expect(await attack(name, demo.url, stage.url)).toBeNull();
  });
});

describe("against a server with every mistake", () => {
  let weak: Awaited<ReturnType<typeof startWeakServer>>;

  beforeEach(async () => {
    weak = await startWeakServer();
  });
  afterEach(() => weak.stop());

  test.each(names.filter((name) => name !== browsers))("the attack succeeds: %s", async (name) => {
    expect(await attack(name, weak.url, weak.url)).toEqual(expect.any(String));
  });
});
