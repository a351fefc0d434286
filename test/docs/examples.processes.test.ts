/** Runs every example against a listening server. Takes seconds, so it stays out of the inner loop. */
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { WebSocket } from "ws";
import { startMariadb } from "../support/mariadb-server.ts";
import { startPostgres } from "../support/postgres-server.ts";
import { RedisServer } from "../support/redis-server.ts";
import { repository } from "../support/source-files.ts";
import { loadExample, serveExample, Visitor } from "./run-example.ts";

const data = mkdtempSync(join(tmpdir(), "fastsession-examples-"));
const servers: { close(): Promise<void> }[] = [];
const tried = new Set<string>();

beforeAll(() => {
  // What examples print, and the warning that their cookies are Secure and this server is not.
  vi.spyOn(console, "log").mockReturnValue();
  vi.stubEnv("SESSION_SECRET", "a secret of these tests, which everybody can read");
  vi.stubEnv(
    "SESSION_ENCRYPTION_KEYS",
    "a key of these tests that everybody can read,the key before that one which is as well known",
  );
  vi.stubEnv("SESSION_FILE", join(data, "sessions.sqlite"));
  vi.stubEnv("SESSION_FOLDER", join(data, "sessions"));
});
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});
afterAll(() => rmSync(data, { recursive: true }));

/** Serves an example. Answers what it exports, and a way to open one browser after another. */
async function open(file: string) {
  tried.add(file);
  const example = await loadExample(file);
  const server = await serveExample(example.app);
  servers.push(server);
  return { ...example, browser: () => new Visitor(server.origin) };
}

type Opened = Awaited<ReturnType<typeof open>>;

describe("an example counts the visits of each browser:", () => {
  const counters = ["hono.mjs", "express.mjs", "fastify.mjs", "koa.mjs", "nest.ts", "node-http.mjs", "fetch.mjs"];
  const stores = [
    "sqlite.mjs",
    "simple-store.mjs",
    "memory-subclass.mjs",
    "express-store.mjs",
    "unstorage.mjs",
    "encryption.mjs",
  ];
  test.each([...counters, ...stores])("%s", async (file) => {
    const { browser } = await open(file);
    const [one, other] = [browser(), browser()];
    const counts = [await one.get("/"), await one.get("/"), await other.get("/"), await one.get("/")];
    expect(counts.map((text) => /^200 \D*(\d+)\D*$/.exec(text)?.[1])).toEqual(["1", "2", "1", "3"]);
  });
});

describe("the example", () => {
  test("login-logout.mjs signs in, lists devices and ends the others", async () => {
    const { browser } = await open("login-logout.mjs");
    const [laptop, phone] = [browser(), browser()];
    expect(await laptop.get("/devices")).toBe("401 sign in first");
    expect(await laptop.post("/login", { user: "ann", password: "guess" })).toBe("401 wrong password");
    for (const device of [laptop, phone]) {
      expect(await device.post("/login", { user: "ann", password: "secret" })).toBe('200 {"user":"ann"}');
    }
    expect(JSON.parse((await laptop.get("/devices")).slice(4))).toMatchObject([{ current: true }, { current: false }]);
    expect(await phone.post("/logout-others")).toBe('200 {"ended":1}');
    expect(await laptop.get("/devices")).toBe("401 sign in first");
    expect(await phone.post("/logout")).toBe("200 bye");
    expect(await phone.get("/devices")).toBe("401 sign in first");
  });

  test("express-passport.mjs signs in and out by Passport", async () => {
    const { browser } = await open("express-passport.mjs");
    const visitor = browser();
    expect(await visitor.post("/login", { username: "ann", password: "guess" })).toBe("401 Unauthorized");
    expect(await visitor.post("/login", { username: "ann", password: "secret" })).toBe("200 hello ann");
    expect(await visitor.get("/")).toBe("200 ann");
    expect(await visitor.post("/logout")).toBe("200 bye");
    expect(await visitor.get("/")).toBe("200 nobody");
  });

  test("csrf.mjs takes its own form and refuses forged ones", async () => {
    const { browser } = await open("csrf.mjs");
    const [visitor, victim] = [browser(), browser()];
    const _csrf = /value="([\w-]+)"/.exec(await visitor.get("/"))?.[1] ?? "";
    const fields = { _csrf, email: "ann@example.com" };
    expect(await visitor.form("/email", fields, "same-origin")).toBe("200 saved");
    expect(await visitor.form("/email", fields, "cross-site")).toBe("403 Forbidden");
    await victim.get("/");
    expect(await victim.form("/email", fields, "same-origin")).toMatch(/^403 This form is out of date/);
  });

  test("skip.mjs gives no session to what its rules name", async () => {
    const { browser } = await open("skip.mjs");
    const visitor = browser();
    expect(await visitor.get("/")).toBe('200 {"visits":1}');
    for (const path of ["/health", "/assets/logo.svg", "/favicon.png"]) {
      expect(await visitor.get(path)).toBe('200 {"visits":null}');
    }
    expect(await visitor.get("/", { "x-apitest-skip": "anything" })).toBe('200 {"visits":null}');
    expect(await visitor.get("/", { "x-health-check": "1" })).toBe('200 {"visits":null}');
    expect(await visitor.get("/", { "x-health-check": "2" })).toBe('200 {"visits":2}');
  });

  test("flash.mjs shows a notice once", async () => {
    const { browser } = await open("flash.mjs");
    const visitor = browser();
    expect(await visitor.post("/save")).toBe("303 ");
    expect(await visitor.get("/")).toBe('200 {"notice":"Your address was saved."}');
    expect(await visitor.get("/")).toBe('200 {"notice":null}');
  });

  test("original-defaults.mjs behaves as the original", async () => {
    const { browser } = await open("original-defaults.mjs");
    const visitor = browser();
    expect(await visitor.get("/")).toBe('200 {"counter":1,"cause":"new"}');
    expect(await visitor.get("/")).toBe('200 {"counter":2,"cause":"resumed"}');
    expect(await visitor.post("/clear")).toMatch(/^200 [0-9a-f-]{36}$/);
    expect(await visitor.get("/")).toBe('200 {"counter":1,"cause":"resumed"}');
  });

  test("rotate-every.mjs keeps a request in flight and finds a copied cookie out", async () => {
    tried.add("rotate-every.mjs");
    const { story } = (await loadExample("rotate-every.mjs")) as { story?: () => unknown };
    const told = { newId: true, inFlight: "resumed: ann", thief: "rotated: nobody", owner: "revoked: nobody" };
    expect(await story?.()).toEqual(told);
  });

  test("postgres.mjs counts in a database", async () => {
    const server = await startPostgres();
    vi.stubEnv("POSTGRES_URL", server.url);
    const opened = await open("postgres.mjs");
    const { pool, sessions } = opened as unknown as Record<"pool" | "sessions", { end(): unknown; close(): unknown }>;
    const visitor = opened.browser();
    expect([await visitor.get("/"), await visitor.get("/")]).toEqual(['200 {"visits":1}', '200 {"visits":2}']);
    await sessions.close();
    await pool.end();
    await server.stop();
  });

  test("redis.mjs counts in Redis", async () => {
    const server = await RedisServer.start();
    vi.stubEnv("REDIS_URL", server.url);
    const { browser, client } = (await open("redis.mjs")) as Opened & { client: { close(): Promise<void> } };
    const visitor = browser();
    expect([await visitor.get("/"), await visitor.get("/")]).toEqual(['200 {"visits":1}', '200 {"visits":2}']);
    await client.close();
    await server.stop();
  });

  test("mysql.mjs counts in a database", async () => {
    const server = await startMariadb();
    vi.stubEnv("MYSQL_URL", server.url);
    const { browser, pool } = (await open("mysql.mjs")) as Opened & { pool: { end(): Promise<void> } };
    const visitor = browser();
    expect([await visitor.get("/"), await visitor.get("/")]).toEqual(['200 {"visits":1}', '200 {"visits":2}']);
    await pool.end();
    await server.stop();
  });

  test("websocket.mjs closes what is open when its session ends, and opens nothing for others", async () => {
    const { browser } = await open("websocket.mjs");
    const [visitor, stranger] = [browser(), browser()];
    expect(await visitor.post("/login")).toBe("200 ann");
    const { url, headers } = visitor.upgrade;
    for (const refused of [{ ...headers, origin: "https://evil.example" }, stranger.upgrade.headers]) {
      const [error] = (await once(new WebSocket(url, { headers: refused }), "error")) as [Error];
      expect(error.message).toContain("401");
    }
    const socket = new WebSocket(url, { headers });
    const [hello] = (await once(socket, "message")) as [Buffer];
    expect(String(hello)).toBe("hello ann");
    const closed = once(socket, "close");
    expect(await visitor.post("/logout")).toBe("200 nobody");
    const [code, reason] = (await closed) as [number, Buffer];
    expect([code, String(reason)]).toEqual([4401, "revoked"]);
  });

  test("event-stream.mjs ends the stream when its session ends", async () => {
    const { browser } = await open("event-stream.mjs");
    const visitor = browser();
    expect(await visitor.get("/events")).toBe("401 sign in first");
    await visitor.post("/login");
    const stream = await visitor.open("/events");
    expect(await visitor.post("/logout")).toBe("200 bye");
    expect(await stream.text()).toBe("data: hello ann\n\nevent: end\ndata: revoked\n\n");
    expect(await visitor.get("/events")).toBe("401 sign in first");
  });

  test("parallel-tabs.mjs loses nothing of fifty requests at once", async () => {
    tried.add("parallel-tabs.mjs");
    const { openTabs } = (await loadExample("parallel-tabs.mjs")) as { openTabs?: (count: number) => unknown };
    expect(await openTabs?.(50)).toEqual({ tabs: 50, fields: 50 });
  });

  test("serialize.mjs charges once for two clicks", async () => {
    tried.add("serialize.mjs");
    const { payTwice, payments } = (await loadExample("serialize.mjs")) as {
      payTwice?: () => Promise<string[]>;
      payments?: unknown[];
    };
    const answers = await payTwice?.();
    expect(answers?.toSorted()).toEqual(["paid already", "thank you"]);
    expect(payments).toEqual([["tea"]]);
  });
});

test("every example is tried here, or by the store contract", () => {
  const files = readdirSync(join(repository, "examples")).filter((file) => /\.(mjs|ts)$/.test(file));
  expect([...tried, "custom-store.mjs"].toSorted()).toEqual(files.toSorted());
});

test("an example has at most 40 lines, a complete store aside", () => {
  const long = [...tried].filter((file) => {
    const text = readFileSync(join(repository, "examples", file), "utf8");
    return text.split("\n").length - 1 > 40;
  });
  expect(long).toEqual([]);
});
