/** A Chromium for the demo, and what people do in it. */
import { chromium, type Browser, type BrowserContext, type Locator, type Page } from "playwright-core";
import { findChromium } from "../support/debian-packages.ts";

const ARGUMENTS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** The browser's path, or `null` where there is none to be had. In CI that is a failure. */
export async function chromiumOrNull(): Promise<string | null> {
  try {
    return await findChromium();
  } catch (error) {
    if (process.env["CI"] !== undefined) throw error;
    console.warn(`The demo is not tested in a browser: ${String(error)}`);
    return null;
  }
}

export async function launch(executablePath: string): Promise<Browser> {
  return chromium.launch({ executablePath, args: ARGUMENTS });
}

/** Collects what a context's pages complain about. */
export function complaints(context: BrowserContext): string[] {
  const found: string[] = [];
  context.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning")
      found.push(`${message.text()} ${message.location().url}`);
  });
  context.on("weberror", (error) => found.push(String(error.error())));
  return found;
}

export async function open(context: BrowserContext, url: string): Promise<Page> {
  const page = await context.newPage();
  await page.goto(url);
  return page;
}

/** Presses a button that sends a form, and waits for the page that follows. */
export async function press(button: Locator): Promise<void> {
  await Promise.all([button.page().waitForEvent("load"), button.click()]);
}

export async function signIn(page: Page, name: string, device = ""): Promise<void> {
  await page.getByLabel("Name", { exact: true }).fill(name);
  await page.getByLabel("Name of this device").fill(device);
  await press(page.getByRole("button", { name: "Sign in" }));
}

/** What the page says under a label of "What the session knows". */
export async function fact(page: Page, name: string): Promise<string> {
  return page
    .locator("dl div", { has: page.locator("dt code", { hasText: name }) })
    .locator("dd")
    .innerText();
}
