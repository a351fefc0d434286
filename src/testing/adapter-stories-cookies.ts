import { type Routes, SECRET, type Stage } from "./adapter-scene.ts";
import { check, same } from "./store-contract-assert.ts";

const routes: Routes = {
  "/": ({ session }) => JSON.stringify([session.get("color", null), session.info.cause]),
  "/write": ({ session }) => {
    session["color"] = "red";
    return "written";
  },
};

/** A cookie's value, changed in one place: still of the right form. */
function forge(value: string): string {
  const at = value.length - 10;
  return value.slice(0, at) + (value[at] === "A" ? "B" : "A") + value.slice(at + 1);
}

/** What hostile and unlucky clients send instead of our cookie. */
export function tellCookies({ story }: Stage): void {
  for (const [name, damage] of [
    ["another signature", forge],
    ["half of it", (value: string) => value.slice(0, value.length / 2)],
    ["something after it", (value: string) => `${value}x`],
    ["another id", (value: string) => `${value[0]}${forge(value.slice(1, 30))}${value.slice(30)}`],
    ["nothing", () => ""],
    ["dots", () => "..."],
    ["a percent sign", (value: string) => `%${value}`],
    ["bytes above 127", (value: string) => `\u00ff${value}`],
    ["seven thousand characters", () => "x".repeat(7000)],
    ["the name of a prototype's member", () => "__proto__.constructor.toString"],
  ] as const) {
    story(`a cookie with ${name} is no session, no error and no store call`, async (begin) => {
      const { browser, store } = await begin(routes);
      await browser.visit("/write");
      const cookie = `sid=${damage(browser.jar.get("sid")?.value ?? "")}`;
      store.takeCalls();
      const { status, text, setCookies, headers } = await browser.visit("/", { cookie });
      same([status, setCookies, headers.get("vary")], [200, [], "Cookie"], "status, cookies and Vary");
      const [color, cause] = JSON.parse(text) as [string | null, string];
      same(color, null, "the data");
      const causes = ["malformed", "bad-signature", "unknown-key", ...(name.startsWith("seven") ? ["none"] : [])];
      check(causes.includes(cause), `the cause is one of ${causes.join(", ")}, found ${cause}`);
      same(store.calls, [], "store calls");
    });
  }

  for (const [name, decoy] of [
    ["a planted", "planted"],
    ["an empty", ""],
    ["a quoted", '"x"'],
  ] as const) {
    for (const order of ["before", "after"]) {
      story(`${name} cookie of the same name ${order} the valid one changes nothing`, async (begin) => {
        const { browser } = await begin(routes);
        await browser.visit("/write");
        const own = browser.jar.header(`${browser.origin}/`) ?? "";
        const pairs = order === "before" ? [`sid=${decoy}`, own] : [own, `sid=${decoy}`];
        const { text, setCookies } = await browser.visit("/", { cookie: pairs.join("; ") });
        same([text, setCookies], ['["red","resumed"]', []], "body and cookies");
      });
    }
  }

  story("cookies of similar names are not ours", async (begin) => {
    const { browser, store } = await begin(routes);
    await browser.visit("/write");
    const value = browser.jar.get("sid")?.value ?? "";
    store.takeCalls();
    const cookie = [`SID=${value}`, `xsid=${value}`, `sid2=${value}`, `=sid=${value}`, `sid`].join("; ");
    same((await browser.visit("/", { cookie })).text, '[null,"none"]', "what is read");
    same(store.calls, [], "store calls");
  });

  story("a well-signed id that the store does not know is left alone until something is written", async (begin) => {
    const { browser, stranger } = await begin(routes);
    const elsewhere = await begin(routes);
    await elsewhere.browser.visit("/write");
    const foreign = stranger();
    foreign.jar.receive(foreign.origin, [`sid=${elsewhere.browser.jar.get("sid")?.value ?? ""}; Path=/; Secure`]);
    const { text, setCookies } = await foreign.visit("/");
    same([text, setCookies], ['[null,"unknown"]', []], "body and cookies");
    const before = foreign.jar.get("sid")?.value;
    same((await foreign.visit("/write")).setCookies.length, 1, "cookies of a write");
    check(foreign.jar.get("sid")?.value !== before, "an id from outside is never adopted");
    same((await browser.visit("/")).text, '[null,"none"]', "another browser");
  });

  story("a cookie of an older secret is read, and written again with the newest", async (begin) => {
    const newest = "a newer secret of the adapter contract, which everybody knows";
    const older = await begin(routes);
    await older.browser.visit("/write");
    const cookie = `sid=${older.browser.jar.get("sid")?.value ?? ""}`;
    const inner = older.store;
    const { browser } = await begin(routes, { inner, session: { secretKey: [newest, SECRET] } });
    const { text, setCookies } = await browser.visit("/", { cookie });
    same([text, setCookies.length], ['["red","resumed"]', 1], "body and cookies");
    const again = await browser.visit("/");
    same([again.text, again.setCookies], ['["red","resumed"]', []], "the next request");
    const only = await begin(routes, { inner, session: { secretKey: newest } });
    same((await only.browser.visit("/", { cookie })).text, '[null,"unknown-key"]', "without the older secret");
  });

  story("a form on another site does not bring the session along, a link does", async (begin) => {
    const { browser } = await begin(routes);
    await browser.visit("/write");
    const form = await browser.visit("/", { method: "POST", crossSite: true });
    same(form.text, '[null,"none"]', "what the form's request reads");
    same((await browser.visit("/", { crossSite: true })).text, '["red","resumed"]', "what the link's request reads");
  });

  story("an id in the query or in a header is no session", async (begin) => {
    const { browser, store, stranger } = await begin(routes);
    await browser.visit("/write");
    const value = browser.jar.get("sid")?.value ?? "";
    store.takeCalls();
    const headers = { "x-session-id": value, authorization: `Bearer ${value}` };
    same((await stranger().visit(`/?sid=${value}`, { headers })).text, '[null,"none"]', "what is read");
    same(store.calls, [], "store calls");
  });
}
