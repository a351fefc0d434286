/** Attacks on what the demo has no page for: streams that outlive a logout, cookies that a tenant configures. */
import { Browser } from "./browser.mjs";

/** Reads what a stream says next. */
async function opened(response) {
  const reader = response.body.getReader();
  await reader.read();
  return reader;
}

export const attacks = {
  "resurrection: an event stream goes on writing after the logout": async ({ stage }) => {
    const victim = new Browser(stage);
    await victim.signIn("victim of streams");
    const stolen = victim.cookie;
    const leave = new AbortController();
    const streams = await Promise.all(
      Array.from({ length: 5 }, () => fetch(`${stage}/stream`, { headers: { cookie: stolen }, signal: leave.signal })),
    );
    const readers = await Promise.all(streams.map(opened));
    /** Something happens, and every stream writes it. */
    const tick = async () => {
      const written = readers.map((reader) => reader.read().catch(() => undefined));
      await new Browser(stage).post("/tick");
      await Promise.all(written);
    };
    try {
      await tick();
      const { fields } = await victim.whoAmI();
      if (!fields?.includes("events")) throw new Error("the streams write nothing, so that nothing is tried");
      await victim.post("/sign-out");
      await tick();
      await tick();
      // What a stream wrote is saved at the end of its turn, or not at all: by the next request it has been.
      const { user, cause } = await new Browser(stage, stolen).whoAmI();
      return user === null && cause !== "resumed" ? null : "the session came back";
    } finally {
      leave.abort();
    }
  },

  "header injection: a tenant's settings for the cookie hold more than a name": async ({ stage }) => {
    const evil = [
      { sessionCookie: "sid=1; Domain=evil.example; x" },
      { sessionCookie: "sid\r\nX-Injected: 1\r\n" },
      { sessionCookie: "sid\nX-Injected: 1" },
      { path: "/; Domain=evil.example" },
      { path: "/\r\nX-Injected: 1" },
      { path: "/, other=1; Path=/" },
      { domain: "shop.example; SameSite=None" },
      { domain: "shop.example\r\nSet-Cookie: other=1" },
      { domain: "evil.example\0" },
      { sameSite: "Lax; Domain=evil.example" },
      { priority: "High\r\nX-Injected: 1" },
    ];
    const honest = await new Browser(stage).post("/tenant", { path: "/shop" });
    if (honest.headers.getSetCookie().length !== 1)
      throw new Error("no tenant gets a session, so that nothing is tried");
    for (const settings of evil) {
      const { headers } = await new Browser(stage).post("/tenant", settings);
      const lines = headers.getSetCookie();
      if (headers.has("x-injected") || lines.length > 1) return `a header was injected by ${JSON.stringify(settings)}`;
      if (/evil\.example|SameSite=None|other=/i.test(lines.join())) {
        return `an attribute was injected by ${JSON.stringify(settings)}`;
      }
    }
    return null;
  },
};
