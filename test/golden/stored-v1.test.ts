/**
 * What version 1 of each store's layout looks like, of those that need no server. Every later version has to read these: a
 * changed layout brings its own fixtures beside them, and a way from the old to the new. They are never edited.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { type Backend, express, objects, sqlite } from "./stored-backends.ts";
import { EXPECTED, EXPECTED_USERS, read, readUsers, write } from "./stored-scene.ts";

const fixtures = JSON.parse(readFileSync(new URL("stored-v1.json", import.meta.url), "utf8")) as Record<string, never>;
const folder = mkdtempSync(join(tmpdir(), "fastsession-stored-"));
afterAll(() => rmSync(folder, { recursive: true }));
let files = 0;

const backends: Readonly<Record<string, () => Backend>> = {
  sqlite: () => sqlite(join(folder, `${(files += 1)}.sqlite`)),
  objects,
  express,
};

describe.each(Object.entries(backends))("the layout of %s", (name, open) => {
  test("is written as version 1 wrote it", async () => {
    const backend = open();
    await write(backend.store);
    expect(await backend.dump()).toEqual(fixtures[name]);
    await backend.close();
  });

  test("of version 1 is read", async () => {
    const backend = open();
    await backend.restore(fixtures[name] as never);
    expect(await read(backend.store)).toMatchObject(EXPECTED);
    if (backend.store.capabilities.userIndex) expect(await readUsers(backend.store)).toEqual(EXPECTED_USERS);
    await backend.close();
  });
});
