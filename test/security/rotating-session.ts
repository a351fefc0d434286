/** The session that `rotating-child.ts` gives new keys, as both processes know it. */
export const NOW: number = Date.UTC(2030, 0, 1);
export const HOUR = 3_600_000;
export const USER = "ann";

export function keyNumber(n: number): string {
  return `key ${n}`;
}
