/** Bugs of the original in how sessions begin and end. */
import { expect } from "vitest";
import { MemoryStore } from "../../../src/stores/memory.ts";
import { bringsCookie, type BugRule, lastCookie, some, told, toldAsRecorded } from "./bug-rule.ts";
import { expectResumed } from "./expectations.ts";
import { Run } from "./run.ts";
import { failed, handlerOf, type Step, type Transcript } from "./transcript.ts";

/** `idleTimeout`'s default. In seconds. */
const HALF_A_DAY = 43_200;

const maxAgeOf = ({ config }: Transcript): number => (config["max_age"] as number | undefined) ?? 0;

function writesNothing(step: Step): boolean {
  return handlerOf(step) === "noop" || step.response.status === 404 || step.response.status === 405;
}

/** All records that are left are those of the sessions begun since. */
async function expectOnlyBegunSince(run: Run, instant: number): Promise<void> {
  await run.sessions.gc();
  const begun = run.transcript.steps.filter(
    ({ now }, index) => now >= instant && run.answers[index]?.cookie !== undefined,
  );
  expect(run.store instanceof MemoryStore && run.store.size).toBe(begun.length);
}

/** A browser that keeps what it is sent stays in its session, as long as its visits are near enough. */
async function expectRollingOn(transcript: Transcript): Promise<void> {
  const run = new Run(transcript, { rolling: true });
  let cookie: string | undefined;
  let last = -Infinity;
  for (const { now } of transcript.steps) {
    run.now = now;
    const answer = await run.visit("/counter", cookie);
    expect(answer.report.cause === "resumed").toBe(now - last <= maxAgeOf(transcript));
    cookie = answer.cookie?.value ?? cookie;
    last = now;
  }
}

export const endBugs: readonly BugRule[] = [
  {
    bug: "expired records go when there are a hundred, and with them sessions in use",
    covers: ({ steps }) => steps.some(({ note }) => note?.includes("by hand")),
    async holds(transcript) {
      const { run } = await told(transcript);
      await expectOnlyBegunSince(run, run.now - HALF_A_DAY + 1);
      const patient = await told(transcript, { idleTimeout: 2 * HALF_A_DAY }, ({ sessions }) => sessions.gc());
      for (const [step, answer] of patient.pairs) if (bringsCookie(step)) expectResumed(answer);
    },
  },
  {
    bug: "a record outlives its session, and an active user does not",
    covers: some((_, step) => step.cause === "renew after SignatureExpired"),
    async holds(transcript) {
      const { run } = await toldAsRecorded(transcript);
      await expectOnlyBegunSince(run, run.now - maxAgeOf(transcript));
      await expectRollingOn(transcript);
    },
  },
  {
    bug: "without max_age a session never ends on the server",
    covers: some(({ steps }, { now }) => now - (steps[0]?.now ?? now) > HALF_A_DAY),
    async holds(transcript) {
      const start = transcript.steps[0]?.now ?? 0;
      for (const [step, { status, report, cookie }] of (await told(transcript)).pairs) {
        if (step.now - start <= HALF_A_DAY) continue;
        expect(status).toBe(200);
        expect(["expired-idle", "expired-absolute"]).toContain(report.cause);
        expect(cookie?.value).toBeTruthy();
      }
    },
  },
];

export const beginBugs: readonly BugRule[] = [
  {
    bug: "a lawful configuration fails each visit",
    covers: some((_, step) => failed(step)),
    async holds(transcript) {
      const { run, pairs } = await told(transcript);
      for (const [, { status, cookie }] of pairs) {
        expect(status).toBe(200);
        expectResumed(await run.visit("/noop", cookie?.value));
      }
    },
  },
  {
    bug: "no id can be replaced: whoever planted one shares the session",
    covers: some((_, step) => step.cause === "success"),
    async holds(transcript) {
      const { run } = await toldAsRecorded(transcript);
      const planted = lastCookie(run);
      const { cookie } = await run.visit("/regenerate", planted);
      expect(cookie?.value).not.toBe(planted);
      expectResumed(await run.visit("/noop", cookie?.value));
      expect((await run.visit("/noop", planted)).report).toMatchObject({ cause: "rotated", session: {} });
    },
  },
  {
    bug: "a visitor who writes nothing gets a record and a cookie",
    covers: ({ steps }) => steps.every((step) => !bringsCookie(step) && writesNothing(step)),
    async holds(transcript) {
      // As recorded where it is asked for, and nothing of it by default.
      await toldAsRecorded(transcript);
      const { run } = await told(transcript, { saveUninitialized: false });
      for (const { cookie, stored } of run.answers) {
        expect(cookie).toBeUndefined();
        expect(stored.size).toBe(0);
      }
    },
  },
  {
    bug: "the first visit's cookie is for its directory alone",
    covers: ({ steps }) => steps.every((step) => !bringsCookie(step)),
    holds: toldAsRecorded,
  },
];
