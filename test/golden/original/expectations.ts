/** What a response has to be: as the original's, or good in any case. */
import { expect } from "vitest";
import type { SessionCause } from "../../../src/index.ts";
import { OWN_COOKIES, OWN_VALUE } from "./app.ts";
import type { Answer, Run } from "./run.ts";
import {
  brokenMethod,
  cookieName,
  dataOf,
  failed,
  handlerOf,
  isOnMemory,
  recordedCookie,
  type RecordedBody,
  type Step,
} from "./transcript.ts";

const CAUSES: Readonly<Record<SessionCause, true>> = {
  none: true,
  new: true,
  resumed: true,
  "expired-idle": true,
  "expired-absolute": true,
  unknown: true,
  revoked: true,
  rotated: true,
  "bad-signature": true,
  malformed: true,
  "unknown-key": true,
  corrupt: true,
  "store-error": true,
};

/** The original's words for it. */
const MAPPED: Readonly<Record<string, readonly SessionCause[]>> = {
  new: ["new"],
  success: ["resumed"],
  valid_cookie_but_no_store: ["unknown"],
  "renew after InvalidSignature": ["bad-signature", "malformed"],
  "renew after SignatureExpired": ["expired-absolute"],
};

/** Why a session may be new although a cookie came; `new` itself where the value is longer than browsers keep any. */
const REFUSED: readonly SessionCause[] = ["malformed", "bad-signature", "unknown", "new"];

/** Holds for every response, whatever the original did. */
export function expectSound(run: Run, step: Step, answer: Answer): void {
  const skipped = failed(step) && "skip_session_header" in run.transcript.config;
  const mayFail = handlerOf(step) === "raise" || skipped || brokenMethod(run.transcript) !== undefined;
  if (!mayFail) expect(answer.status).toBeLessThan(500);
  if (answer.report.cause !== undefined) expect(Object.keys(CAUSES)).toContain(answer.report.cause);
  const ours = answer.cookies.filter(({ name, value }) => name === cookieName(run.transcript) && value !== OWN_VALUE);
  expect(ours.length).toBeLessThanOrEqual(1);
  for (const { attributes } of ours) expect(attributes).toEqual(expect.arrayContaining(["Path=/", "SameSite=Lax"]));
  const foreign = answer.cookies.filter((cookie) => !ours.includes(cookie)).map(({ line }) => line);
  if (handlerOf(step) === "own-cookies") expect(foreign).toEqual(OWN_COOKIES);
  else if (handlerOf(step) === "own-sid-cookie") expect(foreign).toEqual([expect.stringContaining(`=${OWN_VALUE};`)]);
  else expect(foreign).toEqual([]);
}

/** A response of the original that is not to be bettered, but for `Path=/; SameSite=Lax`. */
export function expectRecorded(run: Run, step: Step, answer: Answer): void {
  const { status, body } = step.response;
  // What a store throws is a 500 of the original; here it has a type and is a 503.
  expect(answer.status).toBe(!isOnMemory(run.transcript) && failed(step) ? 503 : status);
  expectRecordedCookie(run, step, answer);
  if (typeof body === "string") {
    if (status === 200) expect(answer.body).toBe(body);
  } else if (step.request.method !== "HEAD") {
    expectReport(step, body, answer);
  }
  expectRecordedStore(step, answer);
}

function expectRecordedCookie(run: Run, step: Step, { cookie, cookies }: Answer): void {
  const name = cookieName(run.transcript);
  expect(cookies.some((one) => one.name === name)).toBe(step.sets_session_cookie);
  const recorded = recordedCookie(run.transcript, step);
  expect(cookie?.value).toBe(recorded?.value);
  expect(new Set(cookie?.attributes)).toEqual(new Set(recorded && [...recorded.attributes, "Path=/", "SameSite=Lax"]));
}

function expectReport({ cause }: Step, body: RecordedBody, { report }: Answer): void {
  const { has_session, test_counter, session_id, session } = body;
  if (has_session === undefined) return;
  expect(report).toMatchObject({ has_session });
  expect(report.session_id).toBe(session_id);
  expect(report.test_counter).toBe(test_counter);
  expect(report.session).toEqual(session && dataOf(session));
  if (cause !== null) expect(MAPPED[cause] ?? []).toContain(report.cause);
}

function expectRecordedStore({ store_after, store_size_after, store_calls }: Step, { stored }: Answer): void {
  if (store_size_after !== null) expect(stored.size).toBe(store_size_after);
  for (const [id, { created_at, store }] of Object.entries(store_after ?? {})) {
    expect(stored.records[id]).toEqual({ created_at, store: dataOf(store) });
  }
  const calls = JSON.stringify(store_calls ?? []);
  for (const method of ["create_store", "get_store"]) {
    if (calls.includes(method)) expect(stored.calls).toContain(method);
  }
}

/** The presented cookie is worth nothing: a fresh session, its cookie, and no error. */
export function expectRefused({ status, report, cookie }: Answer): void {
  expect(status).toBe(200);
  expect(REFUSED).toContain(report.cause);
  expect(report.test_counter ?? 1).toBe(1);
  expect(cookie?.value).toBeTruthy();
}

/** The presented cookie counts: its session, and no new cookie. */
export function expectResumed({ status, report, cookie }: Answer): void {
  expect(status).toBe(200);
  expect(report.cause).toBe("resumed");
  expect(cookie).toBeUndefined();
}
