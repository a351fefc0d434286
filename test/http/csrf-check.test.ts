import { describe, expect, it } from "vitest";
import { createSessions } from "../../src/create-sessions.ts";
import { createCsrfCheck } from "../../src/http/csrf-check.ts";

const secretKey = "a secret of more than thirty-two bytes";

describe("trusted origins", () => {
  it.each([
    "https://a.example",
    "http://a.example",
    "http://a.example:8080",
    "myhttps://localhost",
    "web+app2.x-y://localhost",
  ])("%s is taken", (origin) => {
    expect(() => createSessions({ secretKey, csrf: { trustedOrigins: [origin] } })).not.toThrow();
  });

  it.each([
    "http://A.example",
    "http://a.example:80",
    " https://a.example",
    "1app://localhost",
    "app://localhost/",
    "app://localhost/path",
    "app://localhost?x",
    "app://local host",
    "App://localhost",
    ["app://localhost"],
    5,
  ])("%j is refused, also behind a good one", (origin) => {
    const trustedOrigins = ["https://a.example", origin] as string[];
    expect(() => createSessions({ secretKey, csrf: { trustedOrigins } })).toThrow(/list of origins/);
  });

  it("let their own requests pass, and none without an Origin", () => {
    const ask = (origin: string | undefined): unknown =>
      createCsrfCheck({ trustedOrigins: ["https://a.example"] })?.({
        method: "POST",
        path: "/",
        host: "shop.example",
        header: (name) => ({ "sec-fetch-site": "cross-site", origin })[name],
      });
    expect([ask("https://a.example"), ask("https://b.example"), ask(undefined)]).toEqual([
      null,
      "cross-site",
      "cross-site",
    ]);
  });
});

describe("an Origin that no browser sends", () => {
  it.each([
    ["xhttps://a.example", "a.example"],
    ["https://a.example/", "a.example"],
    ["https://a.example/path", "a.example"],
    ["https://undefined", undefined],
    ["ftp://a.example", "a.example"],
  ])("%s is not the host %s", (origin, host) => {
    const header = (name: string): string | undefined => (name === "origin" ? origin : undefined);
    expect(createCsrfCheck(true)?.({ method: "POST", path: "/", host, header })).toBe("origin");
  });
});

describe("a refused request", () => {
  it("is told to listeners with its reason", () => {
    const sessions = createSessions({ secretKey, csrf: true });
    const told: unknown[] = [];
    sessions.on("csrf", (event) => told.push(event));
    const request = (site: string) => () => ({
      method: "POST",
      path: "/",
      host: "a.example",
      header: (name: string) => (name === "sec-fetch-site" ? site : undefined),
    });
    expect(sessions.admit(request("same-origin"))).toBe(true);
    expect(() => sessions.admit(request("cross-site"))).toThrow(
      expect.objectContaining({ code: "ERR_SESSION_CSRF", status: 403 }),
    );
    expect(told).toEqual([{ reason: "cross-site" }]);
  });
});
