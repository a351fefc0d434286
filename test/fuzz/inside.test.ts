import { expect, it } from "vitest";
import { fuzz, RUNS, unpolluted } from "./target.ts";
import { optionObjects } from "./targets/options.ts";
import { storedTexts } from "./targets/field-texts.ts";
import { storedRecords } from "./targets/stored-records.ts";

/** What a store gives back, and what a program hands in. */
it(
  "300,000 stored texts are read exactly, or are corrupt",
  async () => {
    const answers = await fuzz(storedTexts, 300_000 * RUNS);
    expect([...answers.keys()]).toEqual(
      expect.arrayContaining(["read", "corrupt", "newer", "opened", "refused", "plain"]),
    );
    unpolluted();
  },
  120_000 * RUNS,
);

it(
  "40,000 answers of databases are a session with an end, no session, or a failure of the store",
  async () => {
    const answers = await fuzz(storedRecords, 40_000 * RUNS);
    expect([...answers.keys()]).toEqual(
      expect.arrayContaining(["resumed", "revoked", "rotated", "corrupt", "ERR_SESSION_STORE"]),
    );
  },
  120_000 * RUNS,
);

it(
  "15,000 objects of options work, or are refused with the remedy",
  async () => {
    const answers = await fuzz(optionObjects, 15_000 * RUNS);
    expect([...answers.keys()]).toEqual(expect.arrayContaining(["works", "refused"]));
  },
  120_000 * RUNS,
);
