import { expect, test } from "vitest";
import { attacks } from "../../red-team/run.mjs";
import { documentAt } from "./markdown.ts";

test("the page about the red team has every attack, once, and says what keeps it out", () => {
  const rows = documentAt("docs/red-team.md").table("");
  expect(rows.map(([name = ""]) => name).toSorted()).toEqual(Object.keys(attacks).toSorted());
  expect(rows.filter(([, defence = ""]) => defence.length < 10)).toEqual([]);
});
