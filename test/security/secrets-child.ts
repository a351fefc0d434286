/**
 * A process of its own that goes every way there is with planted markers, and prints all that it can get hold of, for
 * `secrets.processes.test.ts` to search. What it must not print it writes to the file that its argument names.
 */
import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { inspect } from "node:util";
import { fastSession as fetchSession } from "../../src/adapters/fetch.ts";
import { fastSession, type WithSession } from "../../src/adapters/node.ts";
import {
  createSessions,
  expressCookie,
  pythonCookie,
  serialize,
  type SessionEventName,
  type SessionOptions,
  type Sessions,
  structuredCodec,
  TimedSignatureSerializer,
  verifyCsrf,
} from "../../src/index.ts";
import { cached } from "../../src/stores/cached.ts";
import { MemoryStore } from "../../src/stores/memory.ts";
import { SqliteStore } from "../../src/stores/sqlite.ts";
import { HostileStore } from "../../src/testing/hostile-store.ts";
import { CookieJar } from "../../src/testing/cookie-jar.ts";
import { RemoteStore } from "../stores/broken-remote-stores.ts";

const [secretsFile = "", leak = ""] = process.argv.slice(2);

const VALUE = "marker-value-6f1d";
const META = "marker-metadata-91ab";
const FORGED = "marker-forged-c0de";
const secretKey = "marker-secret-key-of-more-than-32-bytes";
const encryptionKey = "marker-encryption-key-of-more-than-32-bytes";
const secrets = new Set([VALUE, META, FORGED, secretKey, encryptionKey, "marker-short"]);

const deep = { depth: 12, showHidden: true, getters: true, maxStringLength: null } as const;

/** Prints a thing in all the ways that people print things. */
function show(what: string, thing: unknown): void {
  console.log(what, thing);
  console.log(
    inspect(thing, { depth: 8 }),
    inspect(thing, { showProxy: true, depth: 8 }),
    Object.prototype.toString.call(thing),
  );
  console.dir(thing, { depth: 8 });
}

function showError(what: string, error: unknown): void {
  console.log(`${what} ->`);
  show("error", error);
  console.error(error);
  if (error instanceof Error) console.log(error.stack, String(error), JSON.stringify(error), inspect(error, deep));
}

function watch(sessions: Sessions): void {
  const names: SessionEventName[] = [
    "created",
    "renewed",
    "rotated",
    "reuse",
    "destroyed",
    "revoked",
    "overwritten",
    "conflict",
    "gone",
    "corrupt",
    "newer",
    "invalid",
    "refused",
    "csrf",
    "store-error",
  ];
  for (const name of names) {
    sessions.on(name, (event) => {
      console.log("event", name, inspect(event, deep), JSON.stringify(event));
      throw new Error(`a listener that quotes ${VALUE}`);
    });
  }
}

const positive = {
  "~standard": {
    version: 1 as const,
    vendor: "test",
    validate: (value: unknown) =>
      String(value).includes("bad") ? { issues: [{ message: `not ${String(value)}` }] } : { value },
  },
};

async function story(name: string, options: Partial<SessionOptions>, store: HostileStore): Promise<void> {
  console.log(`===== ${name}`);
  let now = Date.now();
  const sessions = createSessions({
    secretKey,
    store,
    logLevel: "debug",
    sweepInterval: 0,
    storeTimeout: 0.05,
    csrf: true,
    secure: "auto",
    now: () => now,
    maxFieldBytes: 5000,
    maxSessionsPerUser: 2,
    schema: { checked: positive },
    ...options,
  });
  watch(sessions);
  show("sessions", sessions);
  show("config", sessions.config);
  show("http", sessions.http);
  show("store", store);

  const serve = fastSession(sessions);
  const server = createServer(
    serve(async (request, response) => {
      const session = request.session as WithSession["session"];
      const action = request.url?.slice(1) ?? "";
      // Not the whole request, of which Node itself prints the Cookie header.
      show("what we put on the request", ours(request));
      show("session", session);
      show("info", session.info);
      show("data", session.data);
      console.log(String(session as unknown), inspect(session, deep));
      try {
        await actions[action]?.(session, sessions);
      } catch (error) {
        showError(action, error);
        throw error;
      } finally {
        if (!session.info.isDestroyed) remember(session.getSessionId());
      }
      show("session afterwards", session);
      if (action === "stream") {
        response.write("first");
        session["later"] = VALUE;
        await new Promise((resolve) => setImmediate(resolve));
        try {
          await session.login(`user-of-${name}`);
        } catch (error) {
          showError(action, error);
        }
      }
      show("gate", ours(response));
      response.end("done");
    }),
  );
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  function remember(id: string): void {
    // Ids of any format: the part that nothing else has in common with them.
    secrets.add(id.slice(4)).add(sessions.config.keyOf(id).slice(-43));
  }

  const newVisitor = () => {
    const jar = new CookieJar({ trustLoopback: true });
    return async (path: string, init: { method?: string; headers?: Record<string, string>; cookie?: string } = {}) => {
      const cookie = init.cookie ?? jar.header(origin);
      const response = await fetch(`${origin}/${path}`, {
        method: init.method ?? "GET",
        headers: { ...init.headers, ...(cookie === undefined ? {} : { cookie }) },
      });
      for (const line of response.headers.getSetCookie()) {
        const value = line.slice(line.indexOf("=") + 1, line.indexOf(";"));
        if (value !== "") secrets.add(value.slice(-30)).add(value.slice(4, 34));
      }
      jar.receive(origin, response.headers.getSetCookie());
      console.log("answer", response.status, await response.text());
      return jar.header(origin);
    };
  };

  const visit = newVisitor();
  await visit("read");
  let cookie = await visit("write");
  for (const path of [
    "read",
    "change",
    "regenerate",
    "login",
    "csrf",
    "read",
    "circular",
    "bigint",
    "function",
    "large",
    "type",
    "invalid",
    "throws",
    "stream",
  ]) {
    await visit(path);
  }
  cookie = await visit("read");
  for (const forged of [`sid=${FORGED}`, `${cookie}${FORGED}`, `sid=${FORGED}.0.${FORGED}`, `sid="${FORGED}`]) {
    await visit("read", { cookie: forged });
  }
  await visit("write", {
    method: "POST",
    headers: { "sec-fetch-site": "cross-site", origin: `https://${FORGED}.example` },
  });
  const [second, third] = [newVisitor(), newVisitor()];
  for (const device of [second, third]) await device("login");
  await third("read");
  show(
    "devices",
    (
      await sessions
        .forUser("ann")
        .list()
        .catch((error: unknown) => showError("list", error))
    )?.sessions.length,
  );
  await sessions
    .forUser("ann")
    .revokeAll()
    .catch((error: unknown) => showError("revokeAll", error));
  await third("write");
  await visit("write");

  // A record that somebody else changed, and a field that its schema refuses.
  const other = newVisitor();
  await other("write");
  await other("corrupt");
  await other("read");
  await other("write");
  await other("stored-invalid");
  await other("read");
  await other("newer");
  await other("locked");
  // A copy of an id that the browser has left behind, where ids change in use.
  const copied = await other("read");
  now += 1000_000;
  await other("read");
  now += 100_000;
  await visit("read", copied === undefined ? {} : { cookie: copied });
  now += 5 * 3_600_000;
  await other("read");

  // Every verb fails, and hangs.
  for (const verb of ["load", "create", "commit", "renew", "rotate", "destroy"] as const) {
    for (const trouble of store.capabilities.local ? (["fail"] as const) : (["fail", "hang"] as const)) {
      const one = newVisitor();
      await one("write");
      now += 5 * 3_600_000;
      store[trouble](verb);
      for (const path of ["read", "change", "regenerate", "logout"]) await one(path);
      await newVisitor()("write");
      store.heal();
    }
  }
  await other("destroy");
  await other("destroyed");

  // Another request is first, with a change or with the end.
  const pair = newVisitor();
  await pair("write");
  for (const path of ["conflict", "read", "gone"]) await pair(path);
  await new Promise((resolve) => server.close(resolve));
  show("sessions", sessions);
  show("store", store);
  await sessions.close();
}

/** What stands on a request or response under a symbol of ours. */
function ours(holder: object): unknown[] {
  return Object.getOwnPropertySymbols(holder)
    .filter((symbol) => String(symbol).includes("fastsession"))
    .map((symbol) => (holder as Record<symbol, unknown>)[symbol]);
}

type Action = (session: WithSession["session"], sessions: Sessions) => unknown;
let turns = 0;

const actions: Record<string, Action> = {
  read: (session) => session.get("secret"),
  write(session) {
    session["secret"] = VALUE;
    session["nested"] = { list: [VALUE], [VALUE]: true };
    session.flash("notice", VALUE);
  },
  change(session) {
    session["secret"] = `${VALUE} again ${(turns += 1)}`;
    session.append("list", VALUE);
  },
  async conflict(session, sessions) {
    session.get("secret");
    await changeBehind(session, sessions, { secret: `"${VALUE} first"`, list: `["${VALUE}"]` });
    session["secret"] = `${VALUE} late`;
    session.update("list", (list: unknown[] = []) => [...list, VALUE]);
  },
  async gone(session, sessions) {
    session.get("secret");
    const now = sessions.config.now();
    await sessions.config.store.destroy(sessions.config.keyOf(session.getSessionId()), {
      now,
      tombstoneUntil: now + 9,
    });
    session["secret"] = VALUE;
  },
  regenerate: (session) => session.regenerate(),
  login: (session) => session.login("ann", { metadata: { device: META } }),
  logout: (session) => session.logout(),
  destroy: (session) => session.destroy(),
  csrf(session) {
    const token = session.csrfToken();
    secrets.add(token.slice(-30));
    console.log("verified", verifyCsrf(session, token), verifyCsrf(session, `${token}x`), verifyCsrf(session, FORGED));
  },
  async destroyed(session) {
    await session.destroy();
    session["secret"] = VALUE;
  },
  circular(session) {
    const value: Record<string, unknown> = { text: VALUE };
    session["circular"] = value;
    value["self"] = value;
  },
  bigint: (session) => (session["bigint"] = { text: VALUE, big: 7n }),
  function: (session) => (session["function"] = { text: VALUE, run: () => VALUE }),
  large: (session) => (session["large"] = VALUE.repeat(1000)),
  type: (session) => session.increment("secret"),
  invalid: (session) => (session["checked"] = `bad ${VALUE}`),
  async newer(session, sessions) {
    await newerField(session, sessions);
    await session.reload();
    session.get("newer");
  },
  async locked(session, sessions) {
    await session.saveSession();
    const { store, keyOf, now } = sessions.config;
    const lock = await store.lock?.(keyOf(session.getSessionId()), { now: now(), lease: 60_000 });
    try {
      await serialize(session, { wait: 0.02 });
    } finally {
      await lock?.release();
    }
  },
  throws() {
    throw new Error("a handler's own trouble");
  },
  corrupt: (session, sessions) => changeBehind(session, sessions, { secret: `{"${VALUE}` }),
  async "stored-invalid"(session, sessions) {
    await changeBehind(session, sessions, { checked: `"bad ${VALUE}"` });
    await session.reload();
    session.get("checked");
  },
};

/** What a later version of the program has written. */
function newerField(session: WithSession["session"], sessions: Sessions): Promise<void> {
  return changeBehind(session, sessions, { newer: `{"$later":"${VALUE}"}` });
}

/** What another request commits meanwhile. */
async function changeBehind(
  session: WithSession["session"],
  sessions: Sessions,
  set: Record<string, string>,
): Promise<void> {
  await session.saveSession();
  const key = sessions.config.keyOf(session.getSessionId());
  await sessions.config.store.commit(key, { operation: "another's", now: sessions.config.now(), set });
}

function attempt(what: string, run: () => unknown): void {
  try {
    show(what, run());
  } catch (error) {
    showError(what, error);
  }
}

await story("local", {}, new HostileStore(new MemoryStore()));
await story("remote", { onConflict: "reject" }, new HostileStore(new MemoryStore(), { local: false }));
await story("anonymous", { onStoreError: "anonymous" }, new HostileStore(new MemoryStore(), { local: false }));
await story("sqlite", { cookieFormat: expressCookie() }, new HostileStore(new SqliteStore(":memory:")));
const inUse = { rotateEvery: 900 };
await story("ids that change in use", inUse, new HostileStore(new MemoryStore()));
await story("the same, remote", inUse, new HostileStore(new MemoryStore(), { local: false }));
await story("structured", { codec: structuredCodec }, new HostileStore(new MemoryStore()));
const sealed = { encryption: { keys: [encryptionKey] }, maxFieldBytes: 20_000 };
await story("encrypted", { ...sealed, ...inUse }, new HostileStore(new SqliteStore(":memory:")));
const behind = new HostileStore(new RemoteStore(), { local: false });
await story("behind a near cache", { store: cached(behind) }, behind);
await story("python", { cookieFormat: pythonCookie(), saveUninitialized: true }, new HostileStore(new MemoryStore()));

attempt("short secret", () => createSessions({ secretKey: "marker-short", logLevel: "debug" }));
attempt("empty secret", () => createSessions({ secretKey: [secretKey, ""] }));
attempt("wrong secret", () => createSessions({ secretKey: { [secretKey]: secretKey } as never }));
attempt("two options in one", () => createSessions({ secretKey, sessionCookie: `__Host-x`, domain: "example.com" }));
attempt("serializer", () => new TimedSignatureSerializer(secretKey));
attempt("serializer's token", () => new TimedSignatureSerializer(secretKey).decode(`${FORGED}.x.y`));
attempt("serializer's value", () => new TimedSignatureSerializer(secretKey).encode({ value: VALUE, big: 7n }));

const handle = fetchSession({ secretKey, logLevel: "debug" })((_request, session) => {
  session["secret"] = { text: VALUE, run: () => VALUE };
  return new Response();
});
console.log("fetch", await (await handle(new Request("https://shop.example"))).text());

const leaked = [...secrets][Number(leak)] as string;
if (leak !== "") console.log(leaked, Buffer.from(leaked), new TextEncoder().encode(leaked));
writeFileSync(secretsFile, JSON.stringify([...secrets]));
console.log("the end");
