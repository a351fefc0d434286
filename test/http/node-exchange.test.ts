import { describe, expect, it } from "vitest";
import { isEncrypted, nodeSkipRequest } from "../../src/http/node-exchange.ts";

describe("a connection", () => {
  it.each<[string, unknown, string | undefined, boolean, boolean]>([
    ["TLS", { encrypted: true }, undefined, false, true],
    ["TLS to a proxy that says http", { encrypted: true }, "http", true, true],
    ["plain", {}, undefined, false, false],
    ["plain, and nothing said", {}, undefined, true, false],
    ["plain, from nobody trusted", {}, "https", false, false],
    ["plain, from a trusted proxy", {}, "https", true, true],
    ["plain, from a trusted chain", {}, "HTTPS , http", true, true],
    ["plain, from a chain that began plain", {}, "http, https", true, false],
    ["without a socket", undefined, undefined, false, false],
  ])("%s counts as encrypted: %j, %s, %s, %s", (_what, socket, proto, trustProxy, encrypted) => {
    const headers = { "x-forwarded-proto": proto };
    expect(isEncrypted({ headers, socket }, trustProxy)).toBe(encrypted);
  });
});

describe("a Node request as skip rules see it", () => {
  it("has the whole path without the query, also inside a mounted application", () => {
    expect(nodeSkipRequest({ method: "PUT", url: "/a/b?c=/d?e", headers: {} })).toMatchObject({
      method: "PUT",
      path: "/a/b",
    });
    const mounted = { url: "/b", originalUrl: "/a/b?c", headers: {} };
    expect(nodeSkipRequest(mounted).path).toBe("/a/b");
    expect(nodeSkipRequest({ headers: {} })).toMatchObject({ method: "GET", path: "/", host: undefined });
  });

  it("has the host of HTTP/1 or HTTP/2, and headers by a name in any case", () => {
    const asked = nodeSkipRequest({ headers: { host: "a.example", ":authority": "b.example", "x-a": ["1", "2"] } });
    expect([asked.host, asked.header("X-A"), asked.header("x-b")]).toEqual(["a.example", "1, 2", undefined]);
    expect(nodeSkipRequest({ headers: { ":authority": "b.example" } }).host).toBe("b.example");
  });
});
