/** What ours does where a record is marked as a bug of the original: a rule for each kind, by what a record contains. */
import { handlerBugs, optionBugs, storeBugs } from "./application-bugs.ts";
import { type BugRule, told } from "./bug-rule.ts";
import { cookieBugs } from "./cookie-bugs.ts";
import { beginBugs, endBugs } from "./lifetime-bugs.ts";
import type { Transcript } from "./transcript.ts";

/** No error but the handler's, one session cookie with its attributes, and nobody else's lost. */
const otherBug: BugRule = { bug: "of no known kind", covers: () => true, holds: (transcript) => told(transcript) };

/** Where several cover a record, the first counts. */
const rules: readonly BugRule[] = [
  ...optionBugs,
  ...storeBugs,
  ...handlerBugs,
  ...cookieBugs,
  ...endBugs,
  ...beginBugs,
];

export function ruleFor(transcript: Transcript): BugRule {
  return rules.find(({ covers }) => covers(transcript)) ?? otherBug;
}
