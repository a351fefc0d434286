/**
 * A server with the demo's pages and every mistake that the attacks look for, to prove that they can succeed. It holds
 * what many a first session middleware did: an unsigned, predictable id that anybody may choose, one object for each id.
 */
import { EventEmitter } from "node:events";
import { createServer } from "node:http";
import { inflateSync } from "node:zlib";

const sessions = new Map();
/** Each tick is written by every stream. */
const happenings = new EventEmitter().setMaxListeners(0);
let last = 1000;

/** The last cookie of that name wins, whatever it says; an unknown id is adopted. */
function sessionOf(request, response) {
  const values = [...(request.headers.cookie ?? "").matchAll(/sid=([^;]*)/g)].map(([, value]) =>
    decodeURIComponent(value),
  );
  let id = values.at(-1);
  if (values.length > 100) throw new Error("too many cookies");
  if (id?.startsWith("."))
    id = inflateSync(Buffer.from(id.slice(1).split(".")[0], "base64url")).toString("latin1", 0, 9);
  // "Verifies" a token by what the token says of itself, and takes an id without its signature.
  const claims = id?.startsWith("eyJ") ? JSON.parse(Buffer.from(id.split(".")[1], "base64url")) : null;
  id = (claims?.id ?? id ?? String((last += 1))).split(".")[0].replace(/^s:/, "");
  if (!sessions.has(id)) sessions.set(id, {});
  response.setHeader("Set-Cookie", `sid=${encodeURIComponent(id)}.c2ln`);
  return { id, session: sessions.get(id), isNew: values.length === 0 };
}

function page({ id, session, isNew }) {
  const others = [...sessions].filter(([other, { user }]) => other !== id && user !== undefined);
  const fact = (name, value) => `<dt><code>${name}</code></dt><dd>${value ?? ""}</dd>`;
  return [
    `<p>${id} ${session.name ?? ""}</p>`,
    fact("info.cause", isNew ? "new" : "resumed"),
    fact("info.userId", session.user),
    fact("session.data", Object.keys(session).join(", ")),
    ...others.map(([other]) => `<button name="handle" value="${other}">`),
  ].join("\n");
}

/** Writes its copy of the session, as if nobody else had one. */
function stream({ id, session }, response) {
  response.write("data: open\n\n");
  const write = () => {
    sessions.set(id, { ...session, events: 1 });
    response.write("data: something happened\n\n");
  };
  happenings.on("tick", write);
  response.on("close", () => happenings.off("tick", write));
}

async function answer(request, response) {
  const of = sessionOf(request, response);
  const path = request.url.split("?", 1)[0];
  if (path === "/stream") return stream(of, response);
  if (request.method === "GET" && path === "/") return page(of);
  if (request.method === "GET") throw new Error("no such page");
  let body = "";
  for await (const chunk of request) body += chunk;
  const form = Object.fromEntries(new URLSearchParams(body));
  // What was sent is what is known of a visitor.
  if (form.userId !== undefined) of.session.user = form.userId;
  for (const [name, value] of new URLSearchParams(body))
    if (name.startsWith("__proto__")) Reflect.getPrototypeOf(of.session).user = value;
  switch (path) {
    case "/sign-in":
      // A second person at the same session, or a name with SQL in it, changes everybody's.
      if (/DELETE/.test(form.name)) sessions.clear();
      of.session.user = form.name;
      of.session.name = form.name;
      break;
    case "/tick":
      happenings.emit("tick");
      break;
    case "/tenant": {
      const { sessionCookie = "sid", path: at = "/", domain = "shop.example", sameSite = "Lax" } = form;
      response.setHeader("Set-Cookie", `${sessionCookie}=1; Path=${at}; Domain=${domain}; SameSite=${sameSite}`);
      break;
    }
    case "/sign-out":
      // The browser forgets it; the server doesn't.
      response.setHeader("Set-Cookie", "sid=; Max-Age=0");
      break;
    case "/devices/end":
      sessions.delete(form.handle);
      break;
    case "/cart/add": {
      const copy = { ...of.session };
      await new Promise((resolve) => setTimeout(resolve, 20));
      sessions.set(of.id, { ...copy, cart: form.product });
      break;
    }
  }
  return page(of);
}

export async function startWeakServer() {
  sessions.clear();
  const server = createServer((request, response) => {
    answer(request, response).then(
      (text) => text !== undefined && response.end(text),
      (/** @type {unknown} */ error) => {
        response.statusCode = 500;
        response.end(error instanceof Error ? error.stack : String(error));
      },
    );
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    stop: () => {
      delete Object.prototype.user;
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}
