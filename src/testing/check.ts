/** The assertions of the contracts, which bring no test library along. */

/** Both as JSON are the same. */
export function equal(actual: unknown, expected: unknown, what: string): void {
  const [found, wanted] = [shown(actual), shown(expected)];
  if (found !== wanted) throw new Error(`${what}: expected ${wanted}, found ${found}`);
}

export function isTrue(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Error(what);
}

function shown(value: unknown): string {
  return value === undefined ? "undefined" : JSON.stringify(value);
}
