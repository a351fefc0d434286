import { describe, expect, it } from "vitest";
import { createSessions, type Sessions } from "../../src/create-sessions.ts";
import { Browser } from "../support/browser.ts";

const secretKey = "a secret of more than thirty-two bytes";

/** The request of a browser that was here before, or of a stranger, as Node and as the Fetch API have it. */
async function requests(sessions: Sessions) {
  const browser = new Browser(sessions);
  await browser.visit((session) => session.set("n", 1));
  const cookie = browser.cookie as string;
  return {
    known: [{ headers: { cookie } }, { headers: { cookie: ["a=1", cookie] } }, { headers: new Headers({ cookie }) }],
    strange: [{ headers: {} }, { headers: new Headers() }, { headers: { cookie: "sid=forged" } }],
  };
}

describe("peek", () => {
  it("answers the data of a request's session, and null where there is none", async () => {
    const sessions = createSessions({ secretKey });
    const { known, strange } = await requests(sessions);
    for (const request of known) expect(await sessions.peek(request)).toEqual({ n: 1 });
    for (const request of strange) expect(await sessions.peek(request)).toBeNull();
  });
});

describe("open", () => {
  it("saves into a session that is there, and begins none: nobody would get its cookie", async () => {
    const sessions = createSessions({ secretKey });
    const { known, strange } = await requests(sessions);
    for (const request of known) {
      const session = await sessions.open(request);
      session.set("from", "socket");
      await session.saveSession();
      expect(await sessions.peek(request)).toEqual({ n: 1, from: "socket" });
      await expect(session.regenerate()).rejects.toMatchObject({ code: "ERR_SESSION_HEADERS_SENT" });
    }
    for (const request of strange) {
      const session = await sessions.open(request);
      expect(() => session.set("n", 1)).toThrow(expect.objectContaining({ code: "ERR_SESSION_HEADERS_SENT" }));
    }
  });
});
