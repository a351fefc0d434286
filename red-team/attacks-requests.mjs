/** Attacks by requests: from other sites, with fields that nobody asked for. */
import { Browser } from "./browser.mjs";

const foreign = [
  { "sec-fetch-site": "cross-site", origin: "https://evil.example" },
  { origin: "https://evil.example" },
  { "sec-fetch-site": "cross-site" },
];

export const attacks = {
  "forgery: another site signs the victim out": async ({ url }) => {
    const victim = new Browser(url);
    await victim.signIn("victim");
    for (const headers of foreign) await victim.post("/sign-out", {}, headers);
    const { user } = await victim.whoAmI();
    return user === "victim" ? null : "the victim is logged out";
  },

  "swapping: another site signs the victim in as the attacker": async ({ url }) => {
    const victim = new Browser(url);
    await victim.get();
    for (const headers of foreign) await victim.post("/sign-in", { name: "attacker" }, headers);
    const { user } = await victim.whoAmI();
    return user === null ? null : "the victim works in the attacker's account";
  },

  "puzzling: set the user by a field": async ({ url }) => {
    const browser = new Browser(url);
    await browser.get("/?userId=admin&info.userId=admin");
    for (const path of ["/theme", "/language", "/cart/add"]) {
      await browser.post(path, {
        userId: "admin",
        "info.userId": "admin",
        theme: "dark",
        language: "en",
        product: "tea",
      });
    }
    const { user } = await browser.whoAmI();
    return user === null ? null : "a form field signed somebody in";
  },

  "pollution: names that reach a prototype": async ({ url }) => {
    const browser = new Browser(url);
    const names = ["__proto__", "constructor", "prototype", "__proto__[userId]", "constructor[prototype][userId]"];
    for (const name of names) {
      for (const path of ["/theme", "/cart/add", "/sign-in"]) {
        const { status } = await browser.post(path, { [name]: "admin", product: name, theme: name });
        if (status >= 500) return `${path} answered ${status}`;
      }
    }
    const { user } = await new Browser(url).whoAmI();
    return user === null ? null : "everybody is signed in";
  },

  "injection: SQL in an id, a handle, a name": async ({ url }) => {
    const victim = new Browser(url);
    await victim.signIn("victim");
    const sql = "x'; DELETE FROM session; --";
    await new Browser(url, `sid=${encodeURIComponent(sql)}`).get();
    const attacker = new Browser(url);
    await attacker.signIn(sql, sql);
    await attacker.post("/devices/end", { handle: sql });
    await attacker.post("/devices/end", { handle: "' OR '1'='1" });
    const { user } = await victim.whoAmI();
    return user === "victim" ? null : "the victim's session is gone";
  },

  "leaking: errors that tell too much": async ({ url, secret }) => {
    const browser = new Browser(url);
    await browser.signIn("victim");
    const answers = [
      await browser.get("/nothing-here"),
      await browser.post("/cart/add", { product: "x".repeat(20_000) }),
      await browser.get("/", { "accept-language": "x".repeat(2000) }),
    ];
    for (const { text, headers } of answers) {
      const all = `${text} ${JSON.stringify([...headers])}`;
      if (all.includes(secret)) return "the secret is on the page";
      if (/^\s+at .*:\d+:\d+|node_modules/m.test(text)) return "a stack trace is on the page";
    }
    return null;
  },
};
