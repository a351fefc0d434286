import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { filesBelow, repository } from "../support/source-files.ts";
import { toldAsRecorded } from "./original/bug-rule.ts";
import { ruleFor } from "./original/bug-rules.ts";
import { meta, type Transcript, transcripts } from "./original/transcript.ts";

const told = new Set<Transcript>();

/** Vitest shortens other titles. */
const titled = (bug: boolean): [title: string, transcript: Transcript][] =>
  transcripts
    .filter((transcript) => transcript.bug === bug)
    .map((transcript) => [transcript.name + (bug ? ` (the original: ${ruleFor(transcript).bug})` : ""), transcript]);

describe("under originalDefaults, as the original", () => {
  it.each(titled(false))("%s", async (_, transcript) => {
    told.add(transcript);
    await toldAsRecorded(transcript);
  });
});

describe("not as the original, where that has a bug", () => {
  it.each(titled(true))("%s", async (_, transcript) => {
    told.add(transcript);
    await ruleFor(transcript).holds(transcript);
  });
});

it("every transcript has been told", () => {
  expect(transcripts.length).toBeGreaterThan(0);
  expect(told.size).toBe(transcripts.length);
});

it("nothing in the library knows a record", () => {
  const tokens = JSON.stringify(transcripts).match(/[\w-]{20,}\.[\w-]{6}\.[\w-]{27}/g) ?? [];
  expect(tokens.length).toBeGreaterThan(0);
  const known = [...new Set([meta.secret, ...meta.uuids, ...tokens])];
  for (const file of filesBelow("src")) {
    const text = readFileSync(join(repository, "src", file), "utf8");
    expect(known.filter((one) => text.includes(one))).toEqual([]);
  }
});
