import { describe, expect, it } from "vitest";
import { fastSession } from "../../src/adapters/fetch.ts";
import { ManualClock } from "../../src/testing/index.ts";

const secretKey = "a secret of more than thirty-two bytes";
const cookieOf = (response: Response): string => response.headers.getSetCookie()[0]?.split(";")[0] ?? "";

describe("a Fetch request", () => {
  it.each([
    ["https://shop.example/", true],
    ["http://shop.example/", false],
    ["http://shop.example/?from=https:", false],
  ])("to %s has a Secure cookie where the scheme is chosen by itself: %s", async (url, secure) => {
    const page = fastSession({ secretKey, secure: "auto", logLevel: "silent" })((_request, session) => {
      session.set("n", 1);
      return new Response();
    });
    const [line] = (await page(new Request(url))).headers.getSetCookie();
    expect(/; Secure/.test(line ?? "")).toBe(secure);
  });

  it.each([
    ["its URL, where it has no Host", {}, 200],
    ["its Host, which a proxy passed on", { host: "front.example" }, "refused"],
    ["its Host, which a proxy passed on", { host: "front.example", origin: "https://front.example" }, 200],
  ])("is known to be from our own page by %s (%j)", async (_name, more, answer) => {
    const page = fastSession({ secretKey, csrf: true })(() => new Response());
    const headers = { origin: "https://shop.example", ...more };
    const served = page(new Request("https://shop.example/", { method: "POST", headers }));
    expect(
      await Promise.resolve(served).then(
        ({ status }) => (status === 200 ? 200 : "refused"),
        () => "refused",
      ),
    ).toBe(answer);
  });

  it.each([
    ["gone keeps the id, since nobody would learn of a new one", true],
    ["there gets the new one that is due", false],
  ])("whose client is %s", async (_name, gone) => {
    const clock = new ManualClock();
    const page = fastSession({ secretKey, rotateEvery: 60, now: clock.now })((_request, session) => {
      session.increment("n");
      return new Response();
    });
    const url = "https://shop.example/";
    const cookie = cookieOf(await page(new Request(url)));
    clock.advance(61_000);
    const leaving = new AbortController();
    const request = new Request(url, { headers: { cookie }, signal: leaving.signal });
    if (gone) leaving.abort();
    const after = cookieOf(await page(request));
    expect(after !== "" && after !== cookie).toBe(!gone);
  });
});
