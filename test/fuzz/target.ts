import { readFileSync } from "node:fs";
import { Random } from "./random.ts";

/** A door that hostile input comes through. */
export interface Target<Case = never> {
  /** Also the name of its file in `corpus`. */
  readonly name: string;
  /** Valid input, which is bent. Cases are plain JSON. */
  readonly seeds: readonly Case[];
  /** A case out of one of the seeds; the others are there to take parts from. */
  bend(random: Random, seed: Case, seeds: readonly Case[]): Case;
  /** Throws where a promise is broken. What it answers is counted. */
  check(input: Case): string | Promise<string>;
}

/** What a run did: how often each answer came. */
export type Tally = ReadonlyMap<string, number>;

export const SEED = Number(process.env["FUZZ_SEED"] ?? 20_261_123);
/** Multiplies the number of cases. */
export const RUNS = Number(process.env["FUZZ_RUNS"] ?? 1);

/** Every case of the target that ever failed. */
export function corpus<Case>(target: Target<Case>): { readonly why: string; readonly input: Case }[] {
  return JSON.parse(readFileSync(new URL(`corpus/${target.name}.json`, import.meta.url), "utf8")) as {
    why: string;
    input: Case;
  }[];
}

/** The cases of the corpus, then the seeds as they are, then `runs` bent ones. @throws Error with what makes the case come again */
export async function fuzz<Case>(target: Target<Case>, runs: number, seed: number = SEED): Promise<Tally> {
  const tally = new Map<string, number>();
  const count = (answer: string): void => void tally.set(answer, (tally.get(answer) ?? 0) + 1);
  for (const { input } of corpus(target)) count(await tried(target, input, "of the corpus"));
  for (const input of target.seeds) count(await tried(target, input, "a seed"));
  const random = new Random(seed);
  for (let run = 0; run < runs; run++) {
    const input = target.bend(random, random.pick(target.seeds), target.seeds);
    // Most checks answer at once: a promise each would cost more than they do.
    const answer = tried(target, input, `case ${run}, FUZZ_SEED=${seed}`);
    count(typeof answer === "string" ? answer : await answer);
  }
  return tally;
}

/** One case. A failure names it, so that it can be added to the corpus as it is. */
export function tried<Case>(target: Target<Case>, input: Case, which: string): string | Promise<string> {
  const failed = (error: unknown): never => {
    throw new Error(`${target.name}, ${which}, ${JSON.stringify(input)}: ${String(error)}`, { cause: error });
  };
  try {
    const answer = target.check(input);
    return typeof answer === "string" ? answer : answer.catch(failed);
  } catch (error) {
    return failed(error);
  }
}

/** Prototypes that no input may change, as they were. */
const PROTOTYPES = [Object, Array, Map, Set, String, Promise, Function, Error].map(
  ({ prototype }) => prototype as object,
);
const shapes = PROTOTYPES.map(shape);

function shape(prototype: object): string {
  return Reflect.ownKeys(prototype).map(String).join();
}

/** @throws Error when a built-in prototype has a property more or less than at the start */
export function unpolluted(): void {
  for (const [index, prototype] of PROTOTYPES.entries()) {
    if (shape(prototype) !== shapes[index]) throw new Error("a built-in prototype was changed");
  }
}
