/** Checks options, and says what they should have been. */

/**
 * Refuses what is no object of options, and names that there are not: a misspelt option would be ignored.
 *
 * @param taker whose options they are, as the caller knows it
 * @param known every option there is
 */
export function checkNames<O extends object>(taker: string, options: O, known: Readonly<Record<keyof O, true>>): void {
  if (typeof options !== "object" || options === null) throw new TypeError(`${taker} takes an object of options`);
  for (const name of Object.keys(options)) {
    if (!Object.hasOwn(known, name)) {
      const names = Object.keys(known).join(", ");
      throw new TypeError(`unknown option ${JSON.stringify(name)} of ${taker}: known are ${names}`);
    }
  }
}

/** Whether a value can be called. */
export function isFunction(value: unknown): value is never {
  return typeof value === "function";
}

/** Whether a value is a whole number, 0 or more. */
export function isWhole(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

/** An option's value, checked; `undefined` when it is not given. */
export function option<O extends object, K extends keyof O & string>(
  options: O,
  name: K,
  wanted: string,
  holds: (value: unknown) => boolean,
): O[K] | undefined {
  const value = options[name];
  if (value !== undefined && !holds(value)) throw new TypeError(`${name} must be ${wanted}`);
  return value;
}

/** True or false. */
export function flag<O extends object>(options: O, name: keyof O & string, fallback = false): boolean {
  return (
    (option(options, name, "true or false", (value) => typeof value === "boolean") as boolean | undefined) ?? fallback
  );
}

/** One of some words; the first is the default. */
export function choice<O extends object, const W extends string>(
  options: O,
  name: keyof O & string,
  words: readonly [W, ...W[]],
): W {
  const wanted = words.map((word) => `"${word}"`).join(" or ");
  return (option(options, name, wanted, (value) => words.includes(value as W)) as W | undefined) ?? words[0];
}

/** The longest time that an option can ask for, in seconds: instants stay whole numbers that every store and `Date` keep. */
export const CENTURY = 3_155_760_000;

/** Seconds above 0. */
export function duration<O extends object>(options: O, name: keyof O & string): number | undefined {
  const holds = (value: unknown): boolean => typeof value === "number" && value > 0 && value <= CENTURY;
  return option(options, name, "a number above 0 of seconds, 100 years at most", holds) as number | undefined;
}

/** A number above 0. */
export function positive<O extends object>(options: O, name: keyof O & string): number | undefined {
  return option(
    options,
    name,
    "a number above 0",
    (value) => typeof value === "number" && Number.isFinite(value) && value > 0,
  ) as number | undefined;
}
