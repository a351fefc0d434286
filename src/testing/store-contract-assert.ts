/** Assertions for a kit that knows no test runner: they throw plain errors. */

/** What a store, or an adapter, does not keep; as against a call that failed. */
export class BrokenPromise extends Error {}

/** A value as a text that is the same for equal values, whatever the order of their properties. */
function show(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) => {
    if (part === undefined) return "(undefined)";
    if (typeof part !== "object" || part === null || Array.isArray(part)) return part;
    return Object.fromEntries(Object.entries(part).toSorted(([one], [other]) => (one < other ? -1 : 1)));
  });
}

function shortened(text: string): string {
  return text.length > 300 ? `${text.slice(0, 300)}…` : text;
}

export function check(condition: boolean, promise: string): asserts condition {
  if (!condition) throw new BrokenPromise(promise);
}

/** Compares plain data by value. */
export function same(actual: unknown, expected: unknown, what: string): void {
  const [is, should] = [show(actual), show(expected)];
  if (is !== should) throw new BrokenPromise(`${what}: expected ${shortened(should)}, got ${shortened(is)}`);
}
