/** Bugs of the original that the Cookie header shows. */
import { expect } from "vitest";
import { nativeCookie } from "../../../src/http/native-cookie.ts";
import { bringsCookie, type BugRule, some, told, toldAsRecorded, tokensOf } from "./bug-rule.ts";
import { expectRefused, expectResumed } from "./expectations.ts";
import { failed, presented, recordedCookie, type Step, type Transcript } from "./transcript.ts";

type Holds = (transcript: Transcript, step: Step) => boolean;

/** How far ahead of ours a clock may be. In seconds. */
const LEEWAY = 60;

const crashes: Holds = (transcript, step) => failed(step) && presented(transcript, step).length > 0;

const isOtherSpelling: Holds = (transcript, step) =>
  step.cause === "success" && presented(transcript, step).length > 0 && tokensOf(transcript, step).length === 0;

/** A packed payload is one of the original's only where it is small: here, a bomb. */
const isNoSession: Holds = (transcript, step) =>
  step.cause === "renew after None" || tokensOf(transcript, step).some(({ payload }) => payload.startsWith("."));

/** A good cookie, but one that the recorded application never set. */
const isFromElsewhere: Holds = (transcript, step) => {
  const set = transcript.steps.map((one) => recordedCookie(transcript, one)?.value);
  return tokensOf(transcript, step).length > 0 && presented(transcript, step).every((value) => !set.includes(value));
};

/** Such a cookie is none: its visitor gets a fresh session. */
function refuses(bug: string, worthless: Holds): BugRule {
  return {
    bug,
    covers: some(worthless),
    async holds(transcript) {
      for (const [step, answer] of (await told(transcript)).pairs) {
        if (worthless(transcript, step)) expectRefused(answer);
        else expect(answer.status).toBe(step.response.status);
      }
    },
  };
}

export const cookieBugs: readonly BugRule[] = [
  {
    bug: "of several cookies with its name only one is looked at",
    covers: some((transcript, step) => {
      const fields = step.request.headers.filter(([name]) => name.toLowerCase() === "cookie");
      const several = fields.length > 1 || presented(transcript, step).length > 1;
      return several && tokensOf(transcript, step).length > 0;
    }),
    async holds(transcript) {
      for (const [step, answer] of (await told(transcript)).pairs) if (bringsCookie(step)) expectResumed(answer);
    },
  },
  refuses("a cookie crashes the request", crashes),
  refuses("a cookie counts in another spelling", isOtherSpelling),
  refuses("a signed payload counts that is no session's", isNoSession),
  {
    bug: "a clock behind that of the server that signed ends every session",
    covers: some((transcript, step) => tokensOf(transcript, step).some(({ signedAt }) => signedAt > step.now)),
    async holds(transcript) {
      for (const [step, answer] of (await told(transcript)).pairs) {
        const ahead = Math.max(...tokensOf(transcript, step).map(({ signedAt }) => signedAt - step.now));
        if (ahead > LEEWAY) expect(answer.report.cause).toBe("expired-absolute");
        else if (ahead > 0) expectResumed(answer);
      }
    },
  },
  {
    bug: "what another feature signs with this secret is a session",
    covers: some((transcript, step) => step.cause === "success" && isFromElsewhere(transcript, step)),
    async holds(transcript) {
      // The original's own format can only do as the original does; ours tells its signatures from all others.
      await toldAsRecorded(transcript);
      for (const [step, answer] of (await told(transcript, { cookieFormat: nativeCookie() })).pairs) {
        if (isFromElsewhere(transcript, step)) expectRefused(answer);
      }
    },
  },
];
