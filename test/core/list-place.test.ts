/** Where a page of a user's sessions ended, as it comes back from a browser. */
import { describe, expect, it } from "vitest";
import { isPlace, loginAt, placeOf, rowAt } from "../../src/core/list-place.ts";

describe("a place in a list", () => {
  it.each(["1700000000000~7", "0~a", "1700000000000.25~v1.abc_d-e", `${"9".repeat(16)}~${"x".repeat(128)}`])(
    "is %s",
    (after) => {
      expect(isPlace(after)).toBe(true);
      expect(placeOf(...loginAt(after))).toBe(after);
    },
  );

  it.each([
    "",
    "~",
    "1~",
    "~7",
    "1.~7",
    "-1~7",
    "1~7~8",
    "1~a b",
    " 1~7",
    "1~7\n",
    `${"9".repeat(17)}~7`,
    `1~${"x".repeat(129)}`,
    1,
    ["1~7"],
    null,
    undefined,
  ])("is not %j", (after) => {
    expect(isPlace(after)).toBe(false);
  });

  it("has numbers for rows where a store counts them, and leads to the beginning where it has none", () => {
    expect(rowAt("1700000000000~7")).toEqual([1_700_000_000_000, 7]);
    expect(rowAt(`1~${"9".repeat(15)}`)).toEqual([1, 999_999_999_999_999]);
    for (const row of ["x", "7x", "x7", "9".repeat(16), ""]) expect(rowAt(`1~${row}`)).toEqual([1, 0]);
    for (const none of [null, undefined, ""]) expect(rowAt(none)).toEqual([-1, 0]);
  });
});
