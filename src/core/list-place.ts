/**
 * Where a page of a user's sessions ends, and the next one begins: the instant of the last login, `~`, and whatever a
 * store tells logins of one instant apart by. It comes back from a browser, perhaps as another text than it was.
 */
import type { EpochMilliseconds } from "./units.ts";

const PLACE = /^\d{1,16}(?:\.\d{1,20})?~[\w.-]{1,128}$/;

export function isPlace(after: unknown): after is string {
  return typeof after === "string" && PLACE.test(after);
}

export function placeOf(boundAt: unknown, row: unknown): string {
  return `${String(boundAt)}~${String(row)}`;
}

/** The parts of a place; of none, empty texts. */
export function loginAt(after: string | null | undefined): readonly [boundAt: string, row: string] {
  const [boundAt = "", row = ""] = after?.split("~") ?? [];
  return [boundAt, row];
}

/** The same where rows have numbers. A place that no page has answered leads somewhere, too. */
export function rowAt(after: string | null | undefined): readonly [boundAt: EpochMilliseconds, row: number] {
  const [boundAt, row] = loginAt(after);
  return [boundAt === "" ? -1 : Number(boundAt), /^\d{1,15}$/.test(row) ? Number(row) : 0];
}
