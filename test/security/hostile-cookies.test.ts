import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createSessions, type Sessions } from "../../src/create-sessions.ts";
import { expressCookie } from "../../src/http/express-cookie.ts";
import { pythonCookie } from "../../src/http/python-cookie.ts";
import { MemoryStore } from "../../src/stores/memory.ts";
import { Browser, Visit } from "../support/browser.ts";
import { counting } from "../support/counting-store.ts";
import { cookieHeaders } from "./hostile-headers.ts";

const secretKey = "a secret of more than thirty-two bytes";
const CASES = 100_000;
const SEED = 20_261_123;

describe.each([
  ["native", {}],
  ["python and express beside it", { cookieFormat: pythonCookie(), acceptCookies: [expressCookie()] }],
])("hostile cookies (%s)", (_name, formats) => {
  it(`in ${CASES.toLocaleString("en")} variants give an empty session: no throw, no cookie, no store call`, async () => {
    const { store, calls } = counting(new MemoryStore());
    const sessions = createSessions({ secretKey, store, logLevel: "silent", ...formats });
    const browser = new Browser(sessions);
    await browser.visit((session) => void (session["n"] = 1));
    calls.take();
    const causes = new Set<string>();
    for (const header of fc.sample(cookieHeaders(browser.cookie as string), { seed: SEED, numRuns: CASES })) {
      const visit = rawVisit(sessions, header);
      if (visit.session.get("n") !== undefined) throw new Error(`accepted ${JSON.stringify(header)}`);
      causes.add(visit.session.info.cause);
      void visit.exchange.commit();
      if (visit.exchange.state.cookie !== "keep") throw new Error(`sends a cookie for ${JSON.stringify(header)}`);
    }
    expect(calls.take()).toEqual([]);
    expect([...causes].sort()).toEqual(expect.arrayContaining(["bad-signature", "malformed", "none"]));
    // The real one still works, and so it does among forged ones.
    expect((await browser.visit((session) => session["n"])).result).toBe(1);
    const among = new Browser(sessions, `sid=forged; sid=${"x".repeat(90)}; ${browser.cookie}; sid=`);
    expect((await among.visit((session) => session["n"])).result).toBe(1);
  }, 60_000);
});

/** Past the Fetch API, which refuses bytes that Node's parser lets through. */
function rawVisit(sessions: Sessions, header: string): Visit {
  const visit = new Visit(sessions, undefined);
  visit.exchange.cookieHeader = () => header;
  return visit;
}
