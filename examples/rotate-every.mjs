// A new id every 15 minutes of use: requests in flight go on, and a copy of an old cookie ends the session.
import { createSessions } from "fastsession";
import { fastSession } from "fastsession/hono";
import { Hono } from "hono";

// A clock of its own, so that nobody has to wait.
let clock = Date.now();
const sessions = createSessions({ secretKey: process.env.SESSION_SECRET, rotateEvery: 15 * 60, now: () => clock });

// The browser may have missed its newer cookie, or somebody has a copy of the old one: nobody can tell them apart.
sessions.on("reuse", ({ handle }) => {
  if (handle !== null) void sessions.revoke(handle);
});

const app = new Hono();
app.use(fastSession(sessions));
app.post("/login", async (c) => {
  await c.var.session.login("ann");
  return c.text("hello ann");
});
app.get("/", (c) => c.text(`${c.var.session.info.cause}: ${c.var.session.info.userId ?? "nobody"}`));

export async function story() {
  const ask = async (path, cookie, method = "GET") => {
    const response = await app.request(path, { method, headers: { cookie } });
    return { text: await response.text(), cookie: response.headers.getSetCookie()[0]?.split(";")[0] ?? cookie };
  };
  const login = await ask("/login", "", "POST");
  clock += 15 * 60_000;
  const rotated = await ask("/", login.cookie);
  const inFlight = await ask("/", login.cookie);
  clock += 60_000;
  const thief = await ask("/", login.cookie);
  const owner = await ask("/", rotated.cookie);
  return { newId: rotated.cookie !== login.cookie, inFlight: inFlight.text, thief: thief.text, owner: owner.text };
}

if (process.argv[1] === import.meta.filename) console.log(await story());
