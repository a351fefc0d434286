import { expect, it } from "vitest";
import { fuzz, RUNS, unpolluted } from "./target.ts";
import { cookieHeader } from "./targets/cookie-header.ts";
import { timedTokens } from "./targets/timed-tokens.ts";

/** What visitors send. */
it(
  "400,000 Cookie headers present our session where they hold its cookie, and nothing else",
  async () => {
    const answers = await fuzz(cookieHeader, 400_000 * RUNS);
    expect([...answers.keys()]).toEqual(
      expect.arrayContaining(["ours", "none", "malformed", "bad-signature", "unknown-key"]),
    );
    unpolluted();
  },
  120_000 * RUNS,
);

it(
  "100,000 tokens are read where we made them, in one spelling each",
  async () => {
    const answers = await fuzz(timedTokens, 100_000 * RUNS);
    expect([...answers.keys()].sort()).toEqual(
      expect.arrayContaining(["InvalidSignature", "NoTokenSpecified", "an id", "data", "the value again"]),
    );
    unpolluted();
  },
  120_000 * RUNS,
);
