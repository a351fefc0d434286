import { describe, expect, test } from "vitest";
import { CookieJar, ManualClock } from "../../src/testing/index.ts";

const shop = "https://www.shop.example/cart/items";

/** The reason why a jar refuses a line, or `null`. */
function refusal(line: string, url = shop): string | null {
  return new CookieJar().receive(url, [line])[0]?.reason ?? null;
}

describe("a jar keeps", () => {
  test.for([
    "sid=abc",
    "sid=",
    'sid="abc"',
    "sid=a; Path=/; HttpOnly; Secure; SameSite=Lax",
    "sid=a; path=/; httponly; samesite=strict",
    "sid=a; Expires=Wed, 21 Oct 2065 07:28:00 GMT; Max-Age=60; Priority=High",
    "sid=a; Domain=shop.example",
    "__Host-sid=a; Secure; Path=/",
    "__Secure-sid=a; Secure; Partitioned; SameSite=None",
  ])("%s", (line) => {
    expect(refusal(line)).toBeNull();
  });
});

describe("a jar refuses", () => {
  test.for([
    ["nothing", "it has no ="],
    ["=value", "no token"],
    ["s id=a", "no token"],
    ["sid=a b", "characters"],
    ["sid=a,b", "characters"],
    ["sid=a\u0000", "characters"],
    ["sid=ä", "characters"],
    [`sid=${"a".repeat(4094)}`, "4096"],
    ["sid=a; Path=", "Path"],
    ["sid=a; Path=cart", "Path"],
    ["sid=a; Path=/\u0007", "Path"],
    ["sid=a; Path=/; Path=/", "twice"],
    ["sid=a; Secure=1", "Secure"],
    ["sid=a; Max-Age=1.5", "Max-Age"],
    ["sid=a; Max-Age=01", "Max-Age"],
    ["sid=a; Expires=tomorrow", "Expires"],
    ["sid=a; SameSite=Lose", "SameSite"],
    ["sid=a; HttpOnyl", "unknown attribute"],
    ["sid=a;", "unknown attribute"],
    ["sid=a; SameSite=None", "SameSite=None needs Secure"],
    ["sid=a; Partitioned", "Partitioned needs Secure"],
    ["__Host-sid=a; Path=/", "__Host-"],
    ["__Host-sid=a; Secure", "__Host-"],
    ["__HOST-sid=a; Secure; Path=/; Domain=shop.example", "__Host-"],
    ["__secure-sid=a", "__Secure-"],
    ["sid=a; Domain=other.example", "Domain"],
    ["sid=a; Domain=example", "Domain"],
    ["sid=a; Domain=deep.www.shop.example", "Domain"],
  ] as const)("%s", ([line, reason]) => {
    expect(refusal(line)).toContain(reason);
  });

  test("a Secure cookie over plain HTTP, unless it is told to trust the loopback interface", () => {
    const line = "sid=a; Secure";
    expect(refusal(line, "http://shop.example/")).toContain("unencrypted");
    expect(refusal(line, "http://127.0.0.1:8080/")).toContain("unencrypted");
    const trusting = new CookieJar({ trustLoopback: true });
    expect(trusting.receive("http://127.0.0.1:8080/", [line])).toEqual([]);
    expect(trusting.receive("http://localhost/", [line])).toEqual([]);
    expect(trusting.receive("http://shop.example/", [line])).toHaveLength(1);
  });

  test("to let an unencrypted response replace a Secure cookie", () => {
    const jar = new CookieJar();
    jar.receive("https://shop.example/", ["sid=good; Secure; Path=/"]);
    expect(jar.receive("http://shop.example/", ["sid=evil; Path=/"])).toHaveLength(1);
    expect(jar.get("sid")?.value).toBe("good");
  });
});

describe("a jar sends", () => {
  test("a cookie without Domain to its host only, one with Domain to all below it", () => {
    const jar = new CookieJar();
    jar.receive(shop, ["here=1; Path=/", "all=2; Path=/; Domain=shop.example"]);
    expect(jar.header(shop)).toBe("here=1; all=2");
    expect(jar.header("https://shop.example/")).toBe("all=2");
    expect(jar.header("https://other.example/")).toBeUndefined();
    expect(jar.header("https://notshop.example/")).toBeUndefined();
  });

  test("cookies of the path and what is below it, the longer path first", () => {
    const jar = new CookieJar();
    jar.receive(shop, ["root=1; Path=/", "cart=2; Path=/cart", "default=3"]);
    expect(jar.header("https://www.shop.example/cart")).toBe("cart=2; default=3; root=1");
    expect(jar.header("https://www.shop.example/cartoon")).toBe("root=1");
  });

  test("Secure cookies over TLS only", () => {
    const jar = new CookieJar();
    jar.receive(shop, ["sid=1; Secure; Path=/", "plain=2; Path=/"]);
    expect(jar.header("http://www.shop.example/")).toBe("plain=2");
  });

  test("to requests of other sites what SameSite allows", () => {
    const jar = new CookieJar();
    jar.receive(shop, ["strict=1; Path=/; SameSite=Strict", "lax=2; Path=/", "none=3; Path=/; SameSite=None; Secure"]);
    expect(jar.header(shop, { crossSite: true })).toBe("lax=2; none=3");
    expect(jar.header(shop, { crossSite: true, method: "POST" })).toBe("none=3");
    expect(jar.header(shop, { method: "POST" })).toBe("strict=1; lax=2; none=3");
  });
});

describe("a jar forgets", () => {
  test("a cookie when its Max-Age is over, whatever Expires says", () => {
    const clock = new ManualClock();
    const jar = new CookieJar({ now: clock.now });
    jar.receive(shop, ["sid=1; Max-Age=60; Expires=Wed, 21 Oct 2065 07:28:00 GMT"]);
    clock.advance(59_999);
    expect(jar.get("sid")?.value).toBe("1");
    clock.advance(1);
    expect(jar.get("sid")).toBeUndefined();
  });

  test("a cookie at its Expires", () => {
    const clock = new ManualClock();
    const jar = new CookieJar({ now: clock.now });
    jar.receive(shop, [`sid=1; Expires=${new Date(clock.now() + 5000).toUTCString()}`]);
    clock.advance(5000);
    expect(jar.cookies).toEqual([]);
  });

  test("a cookie that is expired under the same name, domain and path, and no other", () => {
    const jar = new CookieJar();
    jar.receive(shop, ["sid=1; Path=/; Domain=shop.example", "sid=2; Path=/", "sid=3; Path=/cart"]);
    jar.receive(shop, ["sid=; Path=/; Max-Age=0"]);
    expect(jar.cookies.map(({ value }) => value)).toEqual(["1", "3"]);
  });

  test("what has no lifetime when the browser is closed", () => {
    const jar = new CookieJar();
    jar.receive(shop, ["session=1", "lasting=2; Max-Age=60"]);
    jar.closeBrowser();
    expect(jar.cookies.map(({ name }) => name)).toEqual(["lasting"]);
  });

  test("every cookie after 400 days", () => {
    const clock = new ManualClock();
    const jar = new CookieJar({ now: clock.now });
    jar.receive(shop, ["sid=1; Max-Age=99999999"]);
    clock.advance(400 * 86_400_000);
    expect(jar.cookies).toEqual([]);
  });
});
