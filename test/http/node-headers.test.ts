import { IncomingMessage, ServerResponse } from "node:http";
import { Socket } from "node:net";
import { describe, expect, it } from "vitest";
import { NodeHeaders, type WriteHeadHeaders } from "../../src/http/node-headers.ts";

/** What is sent when a handler gives these headers to `writeHead`, and a session adds its own. */
function sent(given: WriteHeadHeaders, before: Record<string, string | string[]> = {}): string[] {
  const response = new ServerResponse(new IncomingMessage(new Socket()));
  response.sendDate = false;
  for (const [name, value] of Object.entries(before)) response.setHeader(name, value);
  const headers = new NodeHeaders(response, given);
  const vary = headers.get("vary");
  headers.set("vary", vary === undefined ? "Cookie" : `${vary}, Cookie`);
  headers.appendCookie("sid=1");
  if (headers.get("cache-control") === undefined) headers.set("cache-control", "no-store");
  response.writeHead(200, headers.given as never);
  const lines = (response as unknown as { _header: string })._header.split("\r\n").slice(1, -2);
  return lines.filter((line) => !/^(connection|keep-alive|transfer-encoding):/i.test(line)).toSorted();
}

const OURS = ["cache-control: no-store", "set-cookie: sid=1", "vary: Cookie"];

describe("a session's headers", () => {
  it.each<[string, WriteHeadHeaders]>([
    ["nothing", undefined],
    ["an empty object", {}],
    ["an empty list", []],
  ])("stand alone where writeHead is given %s", (_what, given) => {
    expect(sent(given)).toEqual(OURS);
  });

  const all: [string, WriteHeadHeaders][] = [
    ["an object", { "X-Own": "1", Vary: "Accept", "Set-Cookie": "a=1", "Cache-Control": "private" }],
    ["a flat list", ["X-Own", "1", "Vary", "Accept", "Set-Cookie", "a=1", "Cache-Control", "private"]],
    [
      "pairs",
      [
        ["X-Own", "1"],
        ["Vary", "Accept"],
        ["Set-Cookie", "a=1"],
        ["Cache-Control", "private"],
      ],
    ],
  ];

  it.each(all)("join those that writeHead is given in %s", (_what, given) => {
    expect(sent(given)).toEqual([
      "Cache-Control: private",
      "Set-Cookie: a=1",
      "Set-Cookie: sid=1",
      "Vary: Accept, Cookie",
      "X-Own: 1",
    ]);
  });

  it.each<[string, WriteHeadHeaders]>([
    ["an object", { "X-Own": ["1", "2"] }],
    ["a flat list", ["X-Own", "1", "x-own", "2"]],
    [
      "pairs",
      [
        ["X-Own", "1"],
        ["x-own", "2"],
      ],
    ],
  ])("leave a header its two values in %s", (_what, given) => {
    expect(sent(given)).toEqual(["X-Own: 1", "X-Own: 2", ...OURS].toSorted());
  });

  it("leave several cookies of the handler's, also as numbers and with undefined beside them", () => {
    expect(sent(["Set-Cookie", ["a=1", "b=2"], "SET-COOKIE", "c=3", "Age", 5])).toEqual([
      "Age: 5",
      "Set-Cookie: a=1",
      "Set-Cookie: b=2",
      "Set-Cookie: c=3",
      "Set-Cookie: sid=1",
      "cache-control: no-store",
      "vary: Cookie",
    ]);
    expect(sent({ "set-cookie": undefined })).toEqual(OURS);
  });

  it.each<[string, WriteHeadHeaders]>([
    ["nothing", undefined],
    ["an object", { "X-Own": "1" }],
    ["a flat list", ["X-Own", "1"]],
    ["pairs", [["X-Own", "1"]]],
  ])("join those that were set before writeHead is given %s", (_what, given) => {
    const lines = sent(given, { vary: ["Accept", "Origin"], "set-cookie": "a=1" });
    expect(lines.filter((line) => line !== "X-Own: 1")).toEqual([
      "cache-control: no-store",
      "set-cookie: a=1",
      "set-cookie: sid=1",
      "vary: Accept, Origin, Cookie",
    ]);
    expect(lines.includes("X-Own: 1")).toBe(given !== undefined);
  });

  it("replace those set before by those that writeHead is given, as Node does", () => {
    expect(sent({ vary: "Accept", "set-cookie": "b=2" }, { Vary: "Origin", "Set-Cookie": "a=1" })).toEqual([
      "cache-control: no-store",
      "set-cookie: b=2",
      "set-cookie: sid=1",
      "vary: Accept, Cookie",
    ]);
  });
});

describe("what writeHead is given", () => {
  it.each<[string, WriteHeadHeaders]>([
    ["nothing", undefined],
    ["an object", { "X-Own": "1" }],
    ["a list", ["X-Own", "1"]],
  ])("reaches Node as it was where the session says nothing: %s", (_what, given) => {
    const response = new ServerResponse(new IncomingMessage(new Socket()));
    const headers = new NodeHeaders(response, given);
    expect(headers.get("vary")).toBeUndefined();
    expect(headers.given).toBe(given);
  });

  it("is not changed for the handler, whose object it is", () => {
    const given = { "Set-Cookie": "a=1" };
    sent(given);
    expect(given).toEqual({ "Set-Cookie": "a=1" });
  });
});
