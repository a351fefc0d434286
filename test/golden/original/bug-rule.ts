/** What the rules about the original's bugs have in common. */
import type { SessionOptions } from "../../../src/create-sessions.ts";
import { expectRecorded, expectSound } from "./expectations.ts";
import { type Answer, Run } from "./run.ts";
import { presented, type Step, type Token, tokenIn, type Transcript } from "./transcript.ts";

export interface BugRule {
  /** What the original does wrong. */
  readonly bug: string;
  /** Whether a record is of that kind, by what it contains. */
  readonly covers: (transcript: Transcript) => boolean;
  /** Asserts what ours does instead. */
  readonly holds: (transcript: Transcript) => unknown;
}

export interface Told {
  readonly run: Run;
  readonly pairs: readonly (readonly [Step, Answer])[];
}

/** The transcript, told to our library: each response is sound at least. */
export async function told(
  transcript: Transcript,
  options: Partial<SessionOptions> = {},
  before?: (run: Run) => unknown,
): Promise<Told> {
  const run = await new Run(transcript, options).tell(before);
  const pairs = transcript.steps.map((step, index) => [step, run.answers[index] as Answer] as const);
  for (const [step, answer] of pairs) expectSound(run, step, answer);
  return { run, pairs };
}

/** Told, and all of it is as recorded, with `Path=/; SameSite=Lax` beside. */
export async function toldAsRecorded(transcript: Transcript): Promise<Told> {
  const all = await told(transcript);
  for (const [step, answer] of all.pairs) expectRecorded(all.run, step, answer);
  return all;
}

/** The last cookie that a run set. */
export function lastCookie({ answers }: Run): string | undefined {
  return answers.findLast(({ cookie }) => cookie !== undefined)?.cookie?.value;
}

export function bringsCookie({ request }: Step): boolean {
  return request.headers.some(([name]) => name.toLowerCase() === "cookie");
}

/** The cookies of a request that are to the letter what the original writes. */
export function tokensOf(transcript: Transcript, step: Step): Token[] {
  return presented(transcript, step)
    .map((value) => tokenIn(transcript, value))
    .filter((token) => token !== null);
}

/** A record is covered where any of its steps is. */
export function some(holds: (transcript: Transcript, step: Step) => boolean): BugRule["covers"] {
  return (transcript) => transcript.steps.some((step) => holds(transcript, step));
}
