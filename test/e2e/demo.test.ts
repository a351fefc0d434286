import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, BrowserContext, BrowserContextOptions, Cookie, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { chromiumOrNull, complaints, fact, launch, open, press, signIn } from "./demo-browser.ts";
import { type Demo, startDemo } from "./demo-process.ts";

const executablePath = await chromiumOrNull();

describe.skipIf(executablePath === null)("the demo in a browser", () => {
  let folder: string;
  let browser: Browser;
  let demo: Demo;
  let contexts: { readonly context: BrowserContext; readonly complaints: readonly string[] }[] = [];

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "fastsession-demo-"));
    demo = await startDemo(folder);
    browser = await launch(executablePath as string);
  });

  afterAll(async () => {
    await browser?.close();
    await demo?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  afterEach(async () => {
    const said = contexts.flatMap(({ complaints }) => complaints);
    for (const { context } of contexts) await context.close();
    contexts = [];
    expect(said, "errors and warnings in the browser's console").toEqual([]);
  });

  /** Somebody's browser: its own cookies, and nothing of the others. */
  async function somebody(options: BrowserContextOptions = {}): Promise<BrowserContext> {
    const context = await browser.newContext({ locale: "en-GB", ...options });
    contexts.push({ context, complaints: complaints(context) });
    return context;
  }

  async function visitor(options?: BrowserContextOptions): Promise<Page> {
    return open(await somebody(options), demo.url);
  }

  async function cookieOf(context: BrowserContext): Promise<Cookie> {
    const cookies = await context.cookies();
    expect(cookies.map(({ name }) => name)).toEqual(["sid"]);
    return cookies[0] as Cookie;
  }

  const visits = (page: Page) => page.locator("#visits .count b").innerText();
  const notebooks = async (page: Page) => {
    const [text = "0"] = await page.getByText(/^Notebook in the cart: \d+$/).allInnerTexts();
    return Number(/\d+/.exec(text));
  };
  const addNotebook = (page: Page) => press(page.getByRole("button", { name: "Add one: Notebook" }));

  test("counts a visitor's views and says what the session knows", async () => {
    const page = await visitor();
    expect(await visits(page)).toBe("1");
    expect(await fact(page, "info.cause")).toMatch(/new$/);
    await page.reload();
    expect(await visits(page)).toBe("2");
    expect(await fact(page, "info.cause")).toMatch(/resumed$/);
    expect(await fact(page, "info.isSaved")).toBe("yes");
    expect(await fact(page, "info.age")).toMatch(/^\d+ seconds?$/);
    expect(await fact(page, "info.timeLeft")).toMatch(/^11 hours 59 minutes$/);
    expect(await fact(page, "info.idHash")).toMatch(/^[\w-]{8}$/);
    expect(await fact(page, "session.data")).toBe("visits");
  });

  test("has the browser keep a cookie that no script sees and that ends with the browser", async () => {
    const page = await visitor();
    expect(await cookieOf(page.context())).toMatchObject({
      domain: "localhost",
      path: "/",
      httpOnly: true,
      secure: false, // "auto", over plain HTTP
      sameSite: "Lax",
      expires: -1,
    });
    expect(await page.evaluate("document.cookie")).toBe("");
    expect(await page.content()).not.toContain((await cookieOf(page.context())).value.slice(0, 20));
  });

  test("keeps the cookie for 30 days where that is asked for", async () => {
    const page = await visitor();
    await page.getByLabel("Keep me signed in for 30 days").check();
    await signIn(page, "Grace");
    const { expires } = await cookieOf(page.context());
    expect(Math.abs(expires - (Date.now() / 1000 + 30 * 86_400))).toBeLessThan(60);
    expect(await fact(page, "info.timeLeft")).toMatch(/^(30 days|29 days 23 hours)$/);
  });

  test("shows a sign-in on the page it redirects to, under a new id and with the cart", async () => {
    const page = await visitor();
    await addNotebook(page);
    const before = await cookieOf(page.context());
    const answers: number[] = [];
    page.on(
      "response",
      (response) => void (response.request().isNavigationRequest() && answers.push(response.status())),
    );
    await signIn(page, "Ada");
    expect(answers).toEqual([303, 200]);
    expect(await page.getByRole("status").innerText()).toBe("Welcome, Ada.");
    expect(await page.locator("#account").innerText()).toContain("Signed in as Ada");
    expect(await fact(page, "info.userId")).toBe("Ada");
    expect(await notebooks(page)).toBe(1);
    expect((await cookieOf(page.context())).value).not.toBe(before.value);
  });

  test("shows a notice once", async () => {
    const page = await visitor();
    await addNotebook(page);
    expect(await page.getByRole("status").innerText()).toBe("Notebook: added to the cart.");
    await page.reload();
    expect(await page.getByRole("status").count()).toBe(0);
  });

  test("loses nothing of what two tabs put into the cart at the same time", async () => {
    const left = await visitor();
    const right = await open(left.context(), demo.url);
    for (let round = 0; round < 5; round++) await Promise.all([addNotebook(left), addNotebook(right)]);
    await left.reload();
    expect(await notebooks(left)).toBe(10);
    await press(left.getByRole("button", { name: "Remove one: Notebook" }));
    expect(await notebooks(left)).toBe(9);
    await press(left.getByRole("button", { name: "Empty the cart" }));
    expect(await notebooks(left)).toBe(0);
  });

  test("counts each of 20 requests that run at once", async () => {
    const page = await visitor();
    await press(page.getByRole("button", { name: "Send 20 at once" }));
    expect(await page.getByRole("status").innerText()).toContain("1 + 20 = 21");
    expect(await visits(page)).toBe("22");
  });

  test("ends the session in all tabs when one signs out, and for whoever copied the cookie", async () => {
    const context = await somebody();
    const page = await open(context, demo.url);
    await signIn(page, "Linus");
    await press(page.getByRole("button", { name: "Dark" }));
    const other = await open(context, demo.url);
    const stolen = await cookieOf(context);

    await press(page.getByRole("button", { name: "Sign out" }));
    expect(await page.getByRole("status").innerText()).toContain("You are signed out");
    expect(await page.locator("html").getAttribute("data-theme")).toBe("dark");
    await other.reload();
    expect(await other.getByRole("button", { name: "Sign in" }).count()).toBe(1);
    expect(await fact(other, "info.userId")).toBe("none");

    const thief = await somebody();
    await thief.addCookies([stolen]);
    expect(await (await open(thief, demo.url)).locator("h1").innerText()).toBe("This session has ended");
  });

  test("lists where a user is signed in and ends one of these sessions, or all others", async () => {
    const [laptop, phone, tablet] = [await visitor(), await visitor(), await visitor()];
    await signIn(laptop, "Barbara", "Laptop");
    await signIn(phone, "Barbara", "Phone");
    await signIn(tablet, "Barbara", "Tablet");
    await laptop.reload();
    expect(await laptop.locator("#account li b").allInnerTexts()).toEqual(["Laptop", "Phone", "Tablet"]);
    expect(await laptop.locator("#account li", { hasText: "This browser" }).locator("b").innerText()).toBe("Laptop");

    await press(laptop.getByRole("button", { name: "Sign out Phone" }));
    expect(await laptop.locator("#account li b").allInnerTexts()).toEqual(["Laptop", "Tablet"]);
    await phone.reload();
    expect(await phone.locator("h1").innerText()).toBe("This session has ended");
    await press(phone.getByRole("button", { name: "Go on" }));
    await signIn(phone, "Barbara", "Phone again");

    await press(phone.getByRole("button", { name: "Sign out elsewhere" }));
    expect(await phone.getByRole("status").innerText()).toBe("Sessions ended elsewhere: 2.");
    expect(await phone.locator("#account li b").allInnerTexts()).toEqual(["Phone again"]);
    await laptop.reload();
    expect(await laptop.locator("h1").innerText()).toBe("This session has ended");
  });

  test("knows everybody again after a restart", async () => {
    const [ada, guest] = [await visitor(), await visitor()];
    await signIn(ada, "Ada");
    await addNotebook(ada);
    await addNotebook(guest);
    const cookies = [await cookieOf(ada.context()), await cookieOf(guest.context())];
    // Nothing of the old pages, such as their icon, is to be loaded while nobody serves.
    for (const page of [ada, guest]) await page.goto("about:blank");
    expect(await demo.stop()).toBe(0);
    demo = await startDemo(folder, demo.port);
    for (const page of [ada, guest]) await page.goto(demo.url);

    expect(await fact(ada, "info.userId")).toBe("Ada");
    expect(await fact(guest, "info.userId")).toBe("none");
    for (const page of [ada, guest]) {
      expect(await fact(page, "info.cause")).toMatch(/resumed$/);
      expect(await notebooks(page)).toBe(1);
    }
    expect([await cookieOf(ada.context()), await cookieOf(guest.context())]).toEqual(cookies);
  });

  test("speaks the browser's language, or the one that was chosen", async () => {
    const page = await visitor({ locale: "ja-JP" });
    expect(await page.locator("html").getAttribute("lang")).toBe("ja");
    expect(await page.locator("h2").allInnerTexts()).toEqual(["訪問回数", "カート", "アカウント", "セッションの情報"]);
    await press(page.getByRole("button", { name: "ノートを 1 つ追加" }));
    expect(await page.getByRole("status").innerText()).toBe("ノートをカートに追加しました。");
    await press(page.getByRole("button", { name: "English" }));
    await page.reload();
    expect(await page.locator("html").getAttribute("lang")).toBe("en");
    expect(await page.locator("h2").first().innerText()).toBe("Visits");
  });

  test("wears the system's theme, or the one that was chosen", async () => {
    const page = await visitor({ colorScheme: "light" });
    const brightness = () =>
      page.evaluate<number>("Number(/\\d+/.exec(getComputedStyle(document.body).backgroundColor)[0])");
    expect(await brightness()).toBeGreaterThan(200);
    await page.emulateMedia({ colorScheme: "dark" });
    expect(await brightness()).toBeLessThan(50);
    await press(page.getByRole("button", { name: "Light" }));
    await page.reload();
    expect(await brightness()).toBeGreaterThan(200);
  });

  test("shows a name as text, whatever it is", async () => {
    const page = await visitor();
    const name = `<img src=x onerror="alert(1)">&amp;`;
    await signIn(page, name);
    expect(await fact(page, "info.userId")).toBe(name);
    expect(await page.locator("main img").count()).toBe(0);
  });

  test("refuses the forms of other sites", async () => {
    const page = await visitor();
    const answer = await page.request.post(`${demo.url}/cart/empty`, {
      form: {},
      headers: { origin: "https://other.example", "sec-fetch-site": "cross-site" },
    });
    expect(answer.status()).toBe(403);
  });

  test("allows no inline script or style, no frame and no guessing of types", async () => {
    const page = await visitor();
    const headers = (await page.reload())?.headers() ?? {};
    expect(headers["content-security-policy"]).toMatch(/^default-src 'none'; style-src 'self';/);
    expect(headers["content-security-policy"]).toContain("frame-ancestors 'none'");
    expect(headers["x-content-type-options"]).toBe("nosniff");
    expect(headers["cache-control"]).toBe("no-store");
  });

  test("makes its secret and its data readable by their owner alone", () => {
    for (const file of ["secret", "sessions.sqlite"]) expect(statSync(join(folder, file)).mode & 0o077).toBe(0);
  });

  test("says what to do where the port is taken", async () => {
    const other = mkdtempSync(join(tmpdir(), "fastsession-demo-"));
    // Node 22 says beside it that its SQLite is new.
    const message = `Port ${demo.port} is taken by another program. Choose one: PORT=${demo.port + 1} npm start`;
    await expect(startDemo(other, demo.port)).rejects.toThrow(new RegExp(`code 1:.*${message}`, "s"));
    rmSync(other, { recursive: true, force: true });
  });
});
