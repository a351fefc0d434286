import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { repository } from "../support/source-files.ts";
import { chromiumOrNull, launch, open, press } from "./demo-browser.ts";
import { type Demo, startDemo } from "./demo-process.ts";
import { pageTroubles } from "./page-troubles.mjs";

const executablePath = await chromiumOrNull();

const screens = { phone: { width: 360, height: 740 }, desktop: { width: 1280, height: 800 } };
const looks = (["phone", "desktop"] as const).flatMap((screen) =>
  (["en", "ja"] as const).map((locale) => ({ screen, locale })),
);

/** Checks a page in both themes. Leaves pictures for people to look at, in a folder that git ignores. */
async function check(page: Page, name: string): Promise<void> {
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    const path = join(repository, "test-results", `demo-${name}-${colorScheme}.png`);
    await page.screenshot({ path, fullPage: true });
    expect(await page.evaluate(pageTroubles), path).toEqual([]);
  }
}

describe.skipIf(executablePath === null)("the demo", () => {
  let folder: string;
  let browser: Browser;
  let demo: Demo;

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

  test.each(looks)("can be read and used on a $screen in $locale", async ({ screen, locale }) => {
    const context = await browser.newContext({ viewport: screens[screen], locale });
    const page = await open(context, demo.url);
    await check(page, `${screen}-${locale}-signed-out`);

    const name = `Ada of ${screen} ${locale}`;
    const phone = await browser.newContext();
    await phone.request.post(`${demo.url}/sign-in`, { form: { name }, headers: { origin: demo.url } });
    await page.locator("#name").fill(name);
    await page.locator("#device").fill("Laptop");
    await press(page.locator("#account .primary"));
    await press(page.locator("#cart li").first().locator("button"));
    await check(page, `${screen}-${locale}-signed-in`);

    await phone.close();
    await context.close();
  });
});
