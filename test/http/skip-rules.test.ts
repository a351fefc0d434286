import { describe, expect, it } from "vitest";
import { createSkip, type SkipHeader, type SkipRule } from "../../src/http/skip-rules.ts";

const skips = (rules: SkipRule | readonly SkipRule[], path: string): boolean | undefined =>
  createSkip(null, rules)?.({ method: "GET", path, host: undefined, header: () => undefined });

describe("skip", () => {
  it.each<[SkipRule | SkipRule[], string, boolean]>([
    ["/health", "/health", true],
    ["/health", "/health/", false],
    ["/health", "/healthy", false],
    ["/assets/*", "/assets/a.css", true],
    ["/assets/*", "/assets/fonts/a.woff2", true],
    ["/assets/*", "/assets/", true],
    ["/assets/*", "/assets", false],
    ["/assets/*", "/assetsx", false],
    ["/assets/*", "/other/assets/a.css", false],
    ["/*", "/anything", true],
    [/\.css$/i, "/A.CSS", true],
    [/\.css$/i, "/a.js", false],
    [["/health", /^\/x/, (request) => request.path.length === 3], "/ab", true],
    [["/health", /^\/x/, (request) => request.path.length === 3], "/abc", false],
    [[], "/", false],
  ])("%s skips %s: %s", (rules, path, skipped) => {
    expect(skips(rules, path) ?? false).toBe(skipped);
  });

  it.each([/a/g, /a/y, /A/giy])("%s does not remember where its last match ended", (rule) => {
    const skip = createSkip(null, rule);
    const request = { method: "GET", path: "a", host: undefined, header: () => undefined };
    expect([1, 2, 3].map(() => skip?.(request))).toEqual([true, true, true]);
  });

  it.each([5, null, {}, "health", "", "*"])("refuses the rule %j", (rule) => {
    expect(() => createSkip(null, [rule as SkipRule])).toThrow(/skip takes a path/);
  });
});

describe("skipSessionHeader", () => {
  it.each([
    null,
    {},
    { headerName: "", headerValue: "*" },
    { headerName: 5, headerValue: "*" },
    { headerName: "X-Skip" },
    { headerName: "X-Skip", headerValue: 1 },
  ])("refuses the rule %j", (rule) => {
    expect(() => createSkip([rule as SkipHeader], undefined)).toThrow(/headerName, headerValue/);
  });

  it("costs no request anything where there is no rule", () => {
    expect([createSkip(undefined, undefined), createSkip(null, []), createSkip([], undefined)]).toEqual([
      null,
      null,
      null,
    ]);
  });
});
