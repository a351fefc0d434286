import { FastSessionError, type FastSessionErrorCode } from "./errors.ts";
import { quoted } from "./printable.ts";
import { joinPath } from "./value-path.ts";

/**
 * Why a value cannot be stored. It starts where the trouble is and learns its path on the way out of the recursion,
 * so that values without trouble pay nothing for a path.
 */
export class Refusal {
  readonly code: FastSessionErrorCode;
  readonly problem: string;
  readonly remedy: string;
  /** Innermost first. */
  readonly #steps: string[] = [];
  readonly #containers: object[] = [];

  constructor(
    problem: string,
    remedy: string,
    code: "ERR_SESSION_VALUE" | "ERR_SESSION_TOO_LARGE" = "ERR_SESSION_VALUE",
  ) {
    this.problem = problem;
    this.remedy = remedy;
    this.code = code;
  }

  /** Adds the step that led here, and the container it was taken from. */
  inside(container: object, step: string): this {
    this.#steps.push(step);
    this.#containers.push(container);
    return this;
  }

  toError(field: string): FastSessionError {
    const steps = this.#steps.toReversed();
    // A circular value is only met as one that is too deep: looking for it on each level would cost every value.
    const cycle = this.code === "ERR_SESSION_TOO_LARGE" ? lengthToCycle(this.#containers.toReversed()) : 0;
    return cycle > 0
      ? refuse(joinPath(field, steps.slice(0, cycle)), "contains itself", "store the id of the other object")
      : refuse(joinPath(field, steps), this.problem, this.remedy, this.code);
  }
}

/** A field whose text is longer than `maxFieldBytes`. */
export function overLimit(field: string, limit: number): FastSessionError {
  return new FastSessionError(
    "ERR_SESSION_TOO_LARGE",
    `field ${quoted(field)} is over maxFieldBytes (${limit}): keep large things elsewhere and their name here`,
    { path: field },
  );
}

function refuse(path: string, problem: string, remedy: string, code: FastSessionErrorCode = "ERR_SESSION_VALUE") {
  return new FastSessionError(code, `cannot store ${path}: it ${problem}; ${remedy}`, { path });
}

/** How many steps lead to a container that was passed before, 0 when none was. */
function lengthToCycle(containers: readonly object[]): number {
  const seen = new Set<object>();
  for (const [index, container] of containers.entries()) {
    if (seen.has(container)) return index;
    seen.add(container);
  }
  return 0;
}

const BYTES = 'store Buffer.from(bytes).toString("base64")';

/** By prototype, so that subclasses find their base's remedy. */
const REMEDIES: ReadonlyMap<object, string> = new Map<object, string>([
  [Date.prototype, "store date.toISOString()"],
  [Map.prototype, "store [...map]"],
  [Set.prototype, "store [...set]"],
  [RegExp.prototype, "store regexp.source and regexp.flags"],
  [Promise.prototype, "await it first"],
  [URL.prototype, "store url.href"],
  [Error.prototype, "store error.message"],
  [Uint8Array.prototype, BYTES],
  [Object.getPrototypeOf(Uint8Array.prototype) as object, "store Array.from(values)"],
  [ArrayBuffer.prototype, BYTES],
  [DataView.prototype, BYTES],
  [String.prototype, "store its valueOf()"],
  [Number.prototype, "store its valueOf()"],
  [Boolean.prototype, "store its valueOf()"],
]);

/** The refusal of a value that is no plain JSON: names its type, never its content. */
export function refusalOf(value: unknown): Refusal {
  if (value === undefined) return new Refusal("is undefined", "store null or delete the field");
  if (typeof value === "number") return new Refusal("is NaN or infinite", "store null");
  if (typeof value === "bigint") return new Refusal("is a bigint", "store bigint.toString()");
  if (typeof value === "object" && value !== null) return refusalOfObject(value);
  return new Refusal(`is a ${typeof value}`, "store the data it stands for");
}

function refusalOfObject(value: object): Refusal {
  const name = className(value);
  const problem = name === undefined || name === "Object" ? "is not a plain object" : `is an instance of ${name}`;
  for (let link = Object.getPrototypeOf(value); link !== null; link = Object.getPrototypeOf(link)) {
    const remedy = REMEDIES.get(link);
    if (remedy !== undefined) return new Refusal(problem, remedy);
  }
  return new Refusal(problem, "store a plain object or array with its data");
}

/** Read through descriptors: an instance's own `constructor` is data, and no getter may run. */
function className(value: object): string | undefined {
  const prototype: unknown = Object.getPrototypeOf(value);
  const constructor = typeof prototype === "object" && prototype !== null ? ownValue(prototype, "constructor") : null;
  const name = typeof constructor === "function" ? ownValue(constructor, "name") : null;
  return typeof name === "string" && name !== "" ? name : undefined;
}

function ownValue(object: object, key: string): unknown {
  return Object.getOwnPropertyDescriptor(object, key)?.value;
}
