/** Bugs of the original that its options, its stores and an application's handlers show. */
import { expect } from "vitest";
import { createSessions } from "../../../src/create-sessions.ts";
import { bringsCookie, type BugRule, lastCookie, some, told, toldAsRecorded, tokensOf } from "./bug-rule.ts";
import type { CopyingStore } from "./copying-store.ts";
import { expectResumed } from "./expectations.ts";
import { refusedOption } from "./refused-option.ts";
import { optionsOf } from "./run.ts";
import { brokenMethod, dataOf, failed, handlerOf, isOnMemory, meta, recordedCookie, type Step } from "./transcript.ts";

export const optionBugs: readonly BugRule[] = [
  {
    bug: "an option that cannot work is found out by visitors",
    covers: ({ config, steps }) => steps.length > 0 && refusedOption(config) !== null,
    holds(transcript) {
      const construct = () => createSessions(optionsOf(transcript));
      expect(construct).toThrow(TypeError);
      expect(construct).toThrow(refusedOption(transcript.config));
    },
  },
  {
    bug: "applications without a store of their own share one",
    covers: ({ steps }) => steps.length === 0,
    holds(transcript) {
      const options = { ...optionsOf(transcript), secretKey: meta.secret };
      expect(createSessions(options).config.store).not.toBe(createSessions(options).config.store);
    },
  },
];

export const storeBugs: readonly BugRule[] = [
  {
    bug: "a failing store has no error of its own",
    covers: (transcript) => brokenMethod(transcript) !== undefined,
    async holds(transcript) {
      const { run, pairs } = await told(transcript);
      for (const [step, { status, cookie }] of pairs.filter(([one]) => failed(one))) {
        expect([200, 503]).toContain(status);
        // The browser's cookie is left alone: it is good again when the store is.
        if (status === 503 && bringsCookie(step)) expect(cookie).toBeUndefined();
      }
      (run.store as CopyingStore).broken = false;
      const last = transcript.steps.at(-1) as Step;
      const answer = await run.send(last);
      expect(answer.status).toBe(200);
      if (bringsCookie(last)) expectResumed(answer);
    },
  },
  {
    bug: "a custom store has to be synchronous and hand out live objects",
    covers: (transcript) => !isOnMemory(transcript),
    async holds(transcript) {
      const { run } = await told(transcript);
      const visits = new Map<string, number>();
      for (const { report, stored } of [...run.answers, await run.visit("/counter", lastCookie(run))]) {
        const { session_id = "", test_counter } = report;
        expect(stored.calls).toContain(visits.has(session_id) ? "get_store" : "create_store");
        expect(stored.calls).toContain("save_store");
        if (test_counter === undefined) continue;
        visits.set(session_id, (visits.get(session_id) ?? 0) + 1);
        expect(test_counter).toBe(visits.get(session_id));
      }
      expect(Math.max(...visits.values())).toBeGreaterThan(1);
    },
  },
];

export const handlerBugs: readonly BugRule[] = [
  {
    bug: "a handler that raises leaves half of its work, or a record that no cookie names",
    covers: some((_, step) => handlerOf(step) === "raise"),
    async holds(transcript) {
      const { run, pairs } = await told(transcript);
      const named = new Set(run.answers.flatMap(({ cookie }) => cookie?.value ?? []));
      expect(run.answers.at(-1)?.stored.size).toBe(named.size);
      for (const [index, [step, { status, stored }]] of pairs.entries()) {
        if (handlerOf(step) !== "raise") continue;
        expect(status).toBe(500);
        for (const [id, { store }] of Object.entries(stored.records)) {
          expect(store).toEqual(dataOf(transcript.steps[index - 1]?.store_after?.[id]?.store ?? {}));
        }
      }
    },
  },
  {
    bug: "the handler's own cookies are lost where the session's is set",
    covers: some((_, step) => handlerOf(step).startsWith("own-")),
    async holds(transcript) {
      // That they are all there is what makes a response sound.
      for (const [step, answer] of (await told(transcript)).pairs) {
        expect(answer.status).toBe(step.response.status);
        expect(answer.cookie?.value).toBe(recordedCookie(transcript, step)?.value);
      }
    },
  },
  {
    bug: "the cause stands in the user's data",
    covers: some((_, step) => handlerOf(step) === "overwrite-cause"),
    async holds(transcript) {
      const { run, pairs } = await told(transcript);
      for (const [step, { report }] of pairs.filter(([one]) => handlerOf(one) === "overwrite-cause")) {
        const cause = tokensOf(transcript, step).length > 0 ? "resumed" : "new";
        expect(report).toMatchObject({ cause, session: { __cause__: "of the handler" } });
      }
      const { report } = await run.visit("/noop", lastCookie(run));
      expect(report).toMatchObject({ cause: "resumed", session: { __cause__: "of the handler" } });
    },
  },
  {
    bug: "a rule that the client meets takes the session from under a handler",
    covers: ({ config }) => "skip_session_header" in config,
    // Here, too: nothing is attached, and the handler that wants a session fails. No record is made for it.
    holds: toldAsRecorded,
  },
];
