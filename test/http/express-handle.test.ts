import { expect, test } from "vitest";
import { createSessions } from "../../src/create-sessions.ts";
import { createExpressHandle, type ExpressSession } from "../../src/http/express-handle.ts";
import { MemoryStore } from "../../src/stores/memory.ts";
import { HostileStore } from "../../src/testing/hostile-store.ts";
import { Browser } from "../support/browser.ts";

test.each([true, false])("regenerate(callback) leaves the old object its data, on a local store: %s", async (local) => {
  const store = new HostileStore(new MemoryStore(), { local });
  const sessions = createSessions({ secretKey: "a secret of more than thirty-two bytes", store, logLevel: "silent" });
  const browser = new Browser(sessions);
  await browser.visit((session) => void (session["cart"] = [1]));
  const visit = await browser.start();
  let session: ExpressSession | undefined;
  const before = createExpressHandle(visit.exchange.state, (handle) => (session = handle));
  const error = await new Promise((resolve) => before.regenerate(resolve));
  expect(error).toBeUndefined();
  expect([{ ...before }, { ...session }]).toEqual([{ cart: [1] }, {}]);
  browser.keep(await visit.end());
  expect((await browser.visit((now) => ({ ...now }))).result).toEqual({});
});
