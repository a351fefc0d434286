import { describe, expect, it } from "vitest";
import { createSessions, type SessionOptions } from "../../src/create-sessions.ts";
import { attach, isMounted, sessionObjectOf } from "../../src/http/attach.ts";
import { FetchExchange } from "../../src/http/fetch-exchange.ts";
import { createHandle } from "../../src/core/session-handle.ts";

const secretKey = "a secret of more than thirty-two bytes";

/** Mounts sessions on a request, one after the other. */
function mount(request: Request, ...list: Partial<SessionOptions>[]): (FetchExchange | null)[] {
  return list
    .map((options) => createSessions({ secretKey, logLevel: "silent", ...options }))
    .map((sessions) =>
      attach(
        request,
        sessions,
        () => ({ method: "GET", path: "/", host: undefined, header: () => undefined }),
        () => new FetchExchange(sessions, request),
      ),
    );
}

describe("two sessions on one request", () => {
  it.each<[string, Partial<SessionOptions>]>([
    ["a property", { sessionCookie: "other" }],
    ["a cookie", { sessionObject: "other" }],
    ["both", {}],
  ])("are refused when they share %s", (_what, second) => {
    expect(() => mount(new Request("http://shop.example/"), {}, second)).toThrow(
      /give each its own sessionObject and sessionCookie/,
    );
  });

  it("stand beside each other when they share neither", () => {
    const request = new Request("http://shop.example/");
    const found = mount(request, {}, { sessionObject: "other", sessionCookie: "other" });
    expect(new Set(found).size).toBe(2);
    expect(sessionObjectOf(request)).toBe("session");
  });
});

describe("the property of a request's session", () => {
  it("is the one that its sessions were told", () => {
    const request = new Request("http://shop.example/");
    mount(request, { sessionObject: "visitor" });
    expect(sessionObjectOf(request)).toBe("visitor");
  });

  it("is none where nothing is mounted, or a rule skips the request", () => {
    const request = new Request("http://shop.example/");
    expect(sessionObjectOf(request)).toBeNull();
    expect(mount(request, { skip: "/" })).toEqual([null]);
    expect(sessionObjectOf(request)).toBeNull();
  });

  it("is free, has ours already, or is refused because something else stands there", () => {
    const [exchange] = mount(new Request("http://shop.example/"), {});
    expect(isMounted(undefined, "session")).toBe(false);
    expect(isMounted(createHandle((exchange as FetchExchange).state), "session")).toBe(true);
    for (const other of [{}, null, "text"]) {
      expect(() => isMounted(other, "session")).toThrow(/"session" is taken by other middleware/);
    }
  });
});
