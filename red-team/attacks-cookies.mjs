/** Attacks on the cookie on its way: planted, overflowed, injected, read. */
import { CookieJar } from "tough-cookie";
import { Browser } from "./browser.mjs";

export const attacks = {
  "tossing: a sibling domain plants worthless cookies of the same name": async ({ url }) => {
    const victim = new Browser(url);
    await victim.signIn("victim");
    const { cookie } = victim;
    const planted = [
      `sid=planted; ${cookie}`,
      `${cookie}; sid=planted`,
      `sid=a.b.c; sid=; ${cookie}`,
      `sid="${victim.value}x"; ${cookie}`,
    ];
    for (const header of planted) {
      const { user } = await new Browser(url, header).whoAmI();
      if (user !== "victim") return "a planted cookie locked the victim out";
    }
    return null;
  },

  "tossing: a sibling domain plants a valid cookie under the production name": async () => {
    // README's name for production. That is the browser's part: a jar with the rules of RFC 6265bis.
    const jar = new CookieJar(undefined, { prefixSecurity: "strict" });
    const from = "https://evil.example.com/";
    for (const line of [
      "__Host-sid=a; Domain=example.com; Path=/; Secure",
      "__Host-sid=a; Path=/app; Secure",
      "__Host-sid=a; Path=/",
    ]) {
      await jar.setCookie(line, from).catch(() => undefined);
    }
    const sent = await jar.getCookieString("https://app.example.com/app");
    return sent === "" ? null : "the browser would send the planted cookie";
  },

  "overflow: more cookies than anybody wants to check": async ({ url }) => {
    const victim = new Browser(url);
    await victim.signIn("victim");
    const many = Array.from({ length: 1500 }, () => "sid=x").join("; ");
    const { status } = await new Browser(url, `${many}; a=b`).get();
    const after = await victim.whoAmI();
    if (status >= 500) return `the server answered ${status}`;
    return after.user === "victim" ? null : "the victim is logged out";
  },

  "header injection: a line break in what the server puts into a session": async ({ url }) => {
    const browser = new Browser(url);
    const evil = "eve\r\nSet-Cookie: stolen=1\r\n\r\n<script>alert(1)</script>";
    const { headers } = await browser.signIn(evil, evil);
    if (headers.getSetCookie().some((line) => line.startsWith("stolen"))) return "a header was injected";
    const { text } = await browser.get();
    return text.includes("<script>alert") ? "a script was stored" : null;
  },

  "reading: a script on the page wants the cookie": async ({ url }) => {
    const browser = new Browser(url);
    const { headers } = await browser.signIn("victim");
    const line = headers.getSetCookie().find((one) => one.startsWith("sid=")) ?? "";
    if (!/;\s*HttpOnly/i.test(line)) return "scripts may read it";
    if (!/;\s*SameSite=(Lax|Strict)/i.test(line)) return "other sites may send it";
    const { text } = await browser.get();
    return text.includes(browser.value.split(".")[0]) ? "the page shows the id" : null;
  },

  "caching: a shared cache keeps somebody's page": async ({ url }) => {
    const browser = new Browser(url);
    for (const { headers } of [await browser.get(), await browser.signIn("victim"), await browser.get()]) {
      if (headers.getSetCookie().length > 0 && !/no-store|private/.test(headers.get("cache-control") ?? "")) {
        return "a response with a cookie may be kept";
      }
      if (!/cookie/i.test(headers.get("vary") ?? "") && !/no-store/.test(headers.get("cache-control") ?? "")) {
        return "a page that depends on the cookie does not say so";
      }
    }
    return null;
  },
};
