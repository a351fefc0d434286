import { EventEmitter, once } from "node:events";
import { Agent, createServer, get, type IncomingMessage, request as ask, type ServerResponse } from "node:http";
import { connect as connectHttp2, createServer as createHttp2Server } from "node:http2";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, test, vi } from "vitest";
import { fastSession } from "../../src/adapters/node.ts";
import { createSessions, type SessionOptions } from "../../src/create-sessions.ts";
import type { Session } from "../../src/core/session-types.ts";
import type { LiveStore, SessionStore, StoreNotice } from "../../src/core/session-store.ts";
import { MemoryStore } from "../../src/stores/memory.ts";
import { Backend, RemoteStore } from "../stores/broken-remote-stores.ts";
import { Browser } from "../support/browser.ts";
import { counting } from "../support/counting-store.ts";

const secretKey = "a secret of more than thirty-two bytes";

afterEach(() => void vi.useRealTimers());

/** A store of a fleet, as one process has it, whose connection for news a test can break. */
class Remote extends RemoteStore implements LiveStore {
  override readonly capabilities: LiveStore["capabilities"] = { ...new RemoteStore().capabilities, feed: "fleet" };
  connected = true;
  refused = 0;
  #tell: (notice: StoreNotice) => void = () => undefined;

  override async watch(listener: (notice: StoreNotice) => void): Promise<() => void> {
    if (this.refused-- > 0) throw new Error("no connection for the feed");
    this.#tell = listener;
    return super.watch((notice) => {
      if (this.connected) listener(notice);
    });
  }

  lose(): void {
    this.connected = false;
    this.#tell({ type: "lost" });
  }

  restore(): void {
    this.connected = true;
    this.#tell({ type: "restored" });
  }
}

/** A server process: its sessions, and what its store was asked. */
function serve<S extends LiveStore>(store: S, options: Partial<SessionOptions> = {}) {
  const { store: counted, calls } = counting(store);
  const sessions = createSessions({ secretKey, logLevel: "silent", ...options, store: counted });
  /** What a WebSocket's server does with the upgrade request of a browser. */
  const connect = async (browser: { cookie: string | undefined }, socket = new EventEmitter()) => {
    const request = { headers: { cookie: browser.cookie }, socket };
    const session = await sessions.open(request);
    return { session, socket, signal: session.info.signal };
  };
  return { store, sessions, connect, loads: () => calls.take().filter((verb) => verb === "load").length };
}

async function signedIn(sessions: ReturnType<typeof serve>["sessions"], user: string): Promise<Browser> {
  const browser = new Browser(sessions);
  await browser.visit((session) => session.login(user));
  return browser;
}

const causeOf = (signal: AbortSignal): unknown => (signal.reason as Error | undefined)?.cause;

async function until(condition: () => boolean): Promise<void> {
  for (let turn = 0; turn < 20_000 && !condition(); turn += 1) await new Promise((resolve) => setImmediate(resolve));
  expect(condition()).toBe(true);
}

/** What was under way has arrived. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 50; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

/** Lets time go by in steps, so that answers come before their calls' deadlines. Timers are faked. */
async function pass(seconds: number, steps: number): Promise<void> {
  for (let step = 0; step < steps; step += 1) {
    await vi.advanceTimersByTimeAsync((seconds * 1000) / steps);
    await settled();
  }
}

const stores = [
  ["one process", () => ({ here: new MemoryStore(), there: null })],
  [
    "two processes",
    () => {
      const backend = new Backend();
      return { here: new Remote(backend), there: new Remote(backend) };
    },
  ],
] as const;

describe.each(stores)("the signal of a session in %s is aborted by", (_name, make) => {
  function start(options: Partial<SessionOptions> = {}) {
    const { here, there } = make();
    const server = serve<LiveStore>(here, options);
    return { server, other: there === null ? server : serve<LiveStore>(there, options) };
  }

  const ends: [string, (sessions: ReturnType<typeof serve>["sessions"], browser: Browser) => Promise<unknown>][] = [
    ["logout", async (_sessions, browser) => browser.visit((session) => session.logout())],
    ["destroy", async (_sessions, browser) => browser.visit((session) => session.destroy())],
    [
      "revoke",
      async (sessions, browser) =>
        sessions.revoke((await browser.visit((session) => session.info.handle)).result as string),
    ],
    ["revokeAll", async (sessions) => sessions.forUser("ann").revokeAll()],
    ["a login beyond the cap", async (sessions) => signedIn(sessions, "ann")],
  ];
  test.each(ends)("%s, and no other session's is", async (_end, end) => {
    const { server, other } = start({ maxSessionsPerUser: 1 });
    const ann = await signedIn(other.sessions, "ann");
    const bob = await signedIn(other.sessions, "bob");
    const [socket, bobs] = [await server.connect(ann), await server.connect(bob)];
    await settled();
    expect([socket.signal.aborted, bobs.signal.aborted]).toEqual([false, false]);
    await end(other.sessions, new Browser(other.sessions, ann.cookie));
    await until(() => socket.signal.aborted);
    expect(socket.signal.reason).toMatchObject({ code: "ERR_SESSION_GONE", cause: "revoked" });
    expect(bobs.signal.aborted).toBe(false);
  });

  const rotations: [string, (session: Session) => Promise<void>][] = [
    ["login", (session) => session.login("ann")],
    ["regenerate", (session) => session.regenerate()],
  ];
  test.each(rotations)("%s: what was opened under the old id ends with it", async (_verb, rotate) => {
    const { server, other } = start();
    const ann = await signedIn(other.sessions, "ann");
    const { signal } = await server.connect(ann);
    await new Browser(other.sessions, ann.cookie).visit(rotate);
    await until(() => signal.aborted);
    expect(causeOf(signal)).toBe("rotated");
  });

  test("an end after rotations of rotateEvery, and not by those", async () => {
    let now = Date.UTC(2030, 0, 1);
    const { server, other } = start({ rotateEvery: 600, now: () => now });
    const ann = await signedIn(other.sessions, "ann");
    const { signal } = await server.connect(ann);
    const first = ann.cookie;
    for (let round = 0; round < 3; round += 1) {
      now += 601_000;
      await ann.visit((session) => session.get("n"));
    }
    expect(ann.cookie).not.toBe(first);
    const { signal: later } = await server.connect(ann);
    await settled();
    expect([signal.aborted, later.aborted]).toEqual([false, false]);
    await ann.visit((session) => session.logout());
    await until(() => signal.aborted && later.aborted);
    expect([causeOf(signal), causeOf(later)]).toEqual(["revoked", "revoked"]);
  });
});

describe("the signal of a session", () => {
  test("is one for a request, and each connection has its own", async () => {
    const server = serve(new MemoryStore());
    const ann = await signedIn(server.sessions, "ann");
    const [one, two] = [await server.connect(ann), await server.connect(ann)];
    expect(one.session.info.signal).toBe(one.signal);
    expect(two.signal).not.toBe(one.signal);
  });

  test("is of the new id after a login of its own request", async () => {
    const server = serve(new MemoryStore());
    const browser = await signedIn(server.sessions, "ann");
    const { result } = await browser.visit(async (session) => {
      const live = session as Awaited<ReturnType<typeof server.connect>>["session"];
      const before = live.info.signal;
      await session.login("ann");
      return [before, live.info.signal];
    });
    await until(() => result[0]?.aborted === true);
    expect(result[1]?.aborted).toBe(false);
  });

  test("is aborted from the start where the session had ended, and says why", async () => {
    let now = Date.UTC(2030, 0, 1);
    const server = serve(new MemoryStore(), { now: () => now, idleTimeout: 600, sweepInterval: 0 });
    const ann = await signedIn(server.sessions, "ann");
    const old = { cookie: ann.cookie };
    await ann.visit((session) => session.regenerate());
    expect(causeOf((await server.connect(old)).signal)).toBe("rotated");
    const bob = await signedIn(server.sessions, "bob");
    await server.sessions.forUser("bob").revokeAll();
    expect(causeOf((await server.connect(bob)).signal)).toBe("revoked");
    now += 601_000;
    expect(causeOf((await server.connect(ann)).signal)).toBe("expired-idle");
    const { session } = await server.connect(await signedIn(server.sessions, "cid"));
    await session.destroy();
    expect(session.info.signal.aborted).toBe(true);
  });

  test("is never aborted where there is no session that could end", async () => {
    const server = serve(new MemoryStore());
    expect((await server.connect({ cookie: undefined })).signal.aborted).toBe(false);
  });

  test("is aborted when the session ended between its reading and the asking for it", async () => {
    const backend = new Backend();
    const [server, other] = [serve(new Remote(backend)), serve(new Remote(backend))];
    const ann = await signedIn(other.sessions, "ann");
    // The feed is on already: no notice of what was before will come.
    await server.connect(await signedIn(other.sessions, "bob"));
    await settled();
    const session = await server.sessions.open({ headers: { cookie: ann.cookie } });
    await other.sessions.forUser("ann").revokeAll();
    await settled();
    const { signal } = session.info;
    await until(() => signal.aborted);
    expect(causeOf(signal)).toBe("revoked");
  });

  test("goes along when rotateEvery changes the id, also where its own request hears of it and others were told first", async () => {
    let now = Date.UTC(2030, 0, 1);
    const backend = new Backend();
    const options = { rotateEvery: 600, now: () => now };
    const [server, other] = [serve(new Remote(backend), options), serve(new Remote(backend), options)];
    const ann = await signedIn(other.sessions, "ann");
    const [early, second] = [await server.connect(ann), await server.connect(ann)];
    await settled();
    server.store.lose();
    now += 601_000;
    await ann.visit((session) => session.get("n"));
    const late = await server.connect(ann);
    server.store.restore();
    await settled();
    early.session["n"] = 1;
    await early.session.saveSession();
    expect(early.session.info.signal).toBe(early.signal);
    second.socket.emit("close");
    late.socket.emit("close");
    await other.sessions.forUser("ann").revokeAll();
    await until(() => early.signal.aborted);
    expect([second.signal.aborted, late.signal.aborted]).toEqual([false, false]);
  });

  test("is aborted when the feed is back, where it was lost as the session ended", async () => {
    const backend = new Backend();
    const [server, other] = [serve(new Remote(backend)), serve(new Remote(backend))];
    const [ann, bob] = [await signedIn(other.sessions, "ann"), await signedIn(other.sessions, "bob")];
    const [anns, bobs] = [await server.connect(ann), await server.connect(bob)];
    await settled();
    server.store.lose();
    await other.sessions.forUser("ann").revokeAll();
    await settled();
    expect(anns.signal.aborted).toBe(false);
    server.store.restore();
    await until(() => anns.signal.aborted);
    await settled();
    expect(bobs.signal.aborted).toBe(false);
  });

  test("hears although the feed could not be had at first", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const backend = new Backend();
    const [server, other] = [serve(new Remote(backend)), serve(new Remote(backend))];
    const ann = await signedIn(other.sessions, "ann");
    const failed: unknown[] = [];
    server.sessions.on("store-error", ({ verb }) => failed.push(verb));
    server.store.refused = 2;
    const { signal } = await server.connect(ann);
    await settled();
    await other.sessions.forUser("ann").revokeAll();
    for (let round = 0; round < 3 && !signal.aborted; round += 1) {
      await vi.advanceTimersByTimeAsync(5_000);
      await settled();
    }
    expect([signal.aborted, failed]).toEqual([true, ["watch", "watch"]]);
  });

  test("is aborted where the session began while its user's were revoked, and no notice told of it", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"] });
    const backend = new Backend();
    const untold = new Set<string>();
    class Overtaken extends Remote {
      override async watch(listener: (notice: StoreNotice) => void): Promise<() => void> {
        return super.watch((notice) => {
          if ("keys" in notice && notice.keys.some((key) => untold.has(key))) return;
          listener(notice);
        });
      }
    }
    const [server, other] = [serve(new Overtaken(backend)), serve(new Remote(backend))];
    await server.connect(await signedIn(server.sessions, "bob"));
    await settled();
    const { result: signal } = await new Browser(server.sessions).visit(async (session) => {
      await session.login("ann");
      return (session as Awaited<ReturnType<typeof server.connect>>["session"]).info.signal;
    });
    await settled();
    for (const { handle } of (await other.sessions.forUser("ann").list()).sessions) {
      untold.add(backend.memory.revokeHandle(handle, { now: Date.now(), tombstoneUntil: Date.now() + 60_000 }) ?? "");
    }
    await settled();
    expect(signal.aborted).toBe(false);
    await pass(10, 10);
    expect(causeOf(signal)).toBe("revoked");
    // Once: who has been signed in for a while is not looked at again.
    server.loads();
    await pass(100, 100);
    expect(server.loads()).toBe(0);
  });

  test("is aborted at the session's deadline, which other requests move", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"] });
    const backend = new Backend();
    const [server, other] = [serve(new Remote(backend)), serve(new Remote(backend))];
    const options = { maxAge: 3_600, rolling: true, storeTimeout: 86_400 };
    const [here, there] = [serve(server.store, options), serve(other.store, options)];
    const ann = await signedIn(there.sessions, "ann");
    const { signal } = await here.connect(ann);
    await settled();
    await pass(3_000, 2);
    await ann.visit((session) => session.get("n"));
    await pass(3_000, 10);
    expect(signal.aborted).toBe(false);
    await pass(700, 100);
    expect(signal.aborted).toBe(true);
    expect(causeOf(signal)).toBe("expired-idle");
  });

  test("outlasts a failing store: the session is looked at again", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"] });
    let down = false;
    const backend = new Backend();
    const remote = new (class extends Remote {
      override async load(key: string, now: number) {
        if (down) throw new Error("down");
        return super.load(key, now);
      }
    })(backend);
    const server = serve(remote, { maxAge: 3_600 });
    const ann = await signedIn(server.sessions, "ann");
    const { signal } = await server.connect(ann);
    await settled();
    down = true;
    await pass(3_700, 10);
    expect(signal.aborted).toBe(false);
    down = false;
    await pass(20, 20);
    expect(signal.aborted).toBe(true);
    expect(causeOf(signal)).toBe("expired-absolute");
  });

  test("costs one read when it is asked for, and none once its connection is closed", async () => {
    const server = serve(new Remote());
    const browsers = [await signedIn(server.sessions, "ann"), await signedIn(server.sessions, "bob")];
    const sockets = [];
    for (const browser of [...browsers, ...browsers]) sockets.push(await server.connect(browser));
    await settled();
    // Four to open, and one for each of the two sessions.
    expect(server.loads()).toBe(6);
    for (const { socket } of sockets.slice(0, 3)) socket.emit("close");
    server.store.restore();
    await settled();
    expect(server.loads()).toBe(1);
    sockets[3]?.socket.emit("close");
    server.store.restore();
    await settled();
    expect(server.loads()).toBe(0);
  });

  test("is let go of when its response is over, also on a connection that goes on", async () => {
    const server = serve(new Remote(), { secure: "auto" });
    const listen = fastSession(server.sessions)(async ({ session, url }, response) => {
      if (url === "/login") await session.login("ann");
      response.end(String(session.info.signal.aborted));
    });
    const http = createServer(listen);
    await once(http.listen(0, "127.0.0.1"), "listening");
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    let cookie = "";
    const visit = async (path: string): Promise<void> => {
      const { port } = http.address() as AddressInfo;
      const request = get({ port, path, agent, headers: { cookie } });
      const [response] = (await once(request, "response")) as [IncomingMessage];
      cookie = response.headers["set-cookie"]?.[0]?.split(";")[0] ?? cookie;
      await once(response.resume(), "end");
    };
    for (const path of ["/login", "/", "/"]) await visit(path);
    await settled();
    server.loads();
    server.store.restore();
    await settled();
    expect(server.loads()).toBe(0);
    agent.destroy();
    http.close();
  });

  test("of sessions.open is let go of when its response is over, and not when a body has been read before", async () => {
    const server = serve(new Remote());
    const cookies = new Map<string, string>();
    for (const user of ["ann", "bob", "cid"])
      cookies.set(user, (await signedIn(server.sessions, user)).cookie as string);
    const streams: AbortSignal[] = [];
    const serveOne = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
      const { info } = await server.sessions.open(request);
      const { signal } = info;
      for await (const chunk of request) void chunk;
      if (request.url === "/") return void response.end(String(signal.aborted));
      streams.push(signal);
      signal.addEventListener("abort", () => response.end("over"));
      response.write("begun");
    };
    const http = createServer((request, response) => void serveOne(request, response));
    await once(http.listen(0, "127.0.0.1"), "listening");
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const send = async (path: string, user: string, body: string): Promise<IncomingMessage> => {
      const { port } = http.address() as AddressInfo;
      const headers = { cookie: cookies.get(user) };
      const request = ask({ port, path, agent, headers, method: body === "" ? "GET" : "POST" });
      request.end(body);
      return ((await once(request, "response")) as [IncomingMessage])[0];
    };
    for (const user of ["ann", "bob", "ann"]) {
      for (const body of ["", "a form"]) await once((await send("/", user, body)).resume(), "end");
    }
    await settled();
    server.loads();
    server.store.restore();
    await settled();
    expect(server.loads()).toBe(0);

    for (const body of ["", "a question"]) {
      const answer = await send("/stream", "cid", body);
      await settled();
      await server.sessions.forUser("cid").revokeAll();
      const text: string[] = [];
      for await (const chunk of answer) text.push(String(chunk));
      expect(text.join(" ")).toBe("begun over");
      cookies.set("cid", (await signedIn(server.sessions, "cid")).cookie as string);
    }
    expect(streams.map(causeOf)).toEqual(["revoked", "revoked"]);
    agent.destroy();
    http.close();
  });

  test("of sessions.open is let go of when its stream is over, on a connection of HTTP/2", async () => {
    const server = serve(new Remote());
    const { cookie } = await signedIn(server.sessions, "ann");
    const http = createHttp2Server((request, response) => {
      void server.sessions.open(request).then(({ info }) => response.end(String(info.signal.aborted)));
    });
    await once(http.listen(0, "127.0.0.1"), "listening");
    const client = connectHttp2(`http://127.0.0.1:${(http.address() as AddressInfo).port}`);
    for (let visit = 0; visit < 3; visit += 1) {
      const stream = client.request({ ":path": "/", cookie: cookie as string });
      await once(stream.resume(), "close");
    }
    await settled();
    server.loads();
    server.store.restore();
    await settled();
    expect(server.loads()).toBe(0);
    client.close();
    http.close();
  });

  test("is let go of at once where the connection had closed before", async () => {
    const server = serve(new Remote());
    const ann = await signedIn(server.sessions, "ann");
    await server.connect(ann, Object.assign(new EventEmitter(), { destroyed: true }));
    await settled();
    server.loads();
    server.store.restore();
    await settled();
    expect(server.loads()).toBe(0);
  });

  test("adds one listener to a connection, however many requests come over it", async () => {
    const server = serve(new MemoryStore());
    const ann = await signedIn(server.sessions, "ann");
    const socket = new EventEmitter();
    for (let request = 0; request < 20; request += 1) await server.connect(ann, socket);
    expect(socket.listenerCount("close")).toBe(1);
  });

  test("opens no feed until it is asked for, and none stays when the sessions are closed", async () => {
    const backend = new Backend();
    const server = serve(new Remote(backend));
    const ann = await signedIn(server.sessions, "ann");
    expect(backend.watchers.size).toBe(0);
    await server.connect(ann);
    await settled();
    expect(backend.watchers.size).toBe(1);
    await server.sessions.close();
    expect(backend.watchers.size).toBe(0);
  });

  test("is refused with a remedy on a store without a feed", async () => {
    const store: SessionStore = new MemoryStore();
    Object.assign(store, { capabilities: { ...store.capabilities, feed: null } });
    const session = await createSessions({ secretKey, store }).open({ headers: {} });
    expect(() => (session.info as { signal?: unknown }).signal).toThrow(
      expect.objectContaining({ code: "ERR_SESSION_UNSUPPORTED", message: expect.stringContaining("MemoryStore") }),
    );
  });
});

describe('the event "revoked"', () => {
  function join(store: Remote, options: Partial<SessionOptions> = {}) {
    const server = serve(store, { maxSessionsPerUser: 2, ...options });
    const heard: { count: number; remote: boolean }[] = [];
    server.sessions.on("revoked", (event) => heard.push(event));
    return { ...server, heard };
  }
  function fleet() {
    const backend = new Backend();
    return [join(new Remote(backend)), join(new Remote(backend))] as const;
  }

  test("is told once to the process that ended sessions, and once to each other", async () => {
    const [one, other] = fleet();
    await settled();
    const ann = [await signedIn(one.sessions, "ann"), await signedIn(one.sessions, "ann")];
    await one.sessions.forUser("ann").revokeAll();
    await settled();
    expect([one.heard.splice(0), other.heard.splice(0)]).toEqual([
      [{ count: 2, remote: false }],
      [{ count: 2, remote: true }],
    ]);
    for (const browser of ann) await browser.visit((session) => session.login("ann"));
    const { result: handle } = await (ann[0] as Browser).visit((session) => session.info.handle);
    await one.sessions.revoke(handle as string);
    await settled();
    expect([one.heard.splice(0), other.heard.splice(0)]).toEqual([
      [{ count: 1, remote: false }],
      [{ count: 1, remote: true }],
    ]);
    for (let login = 0; login < 2; login += 1) await signedIn(one.sessions, "ann");
    await settled();
    expect([one.heard.splice(0), other.heard.splice(0)]).toEqual([
      [{ count: 1, remote: false }],
      [{ count: 1, remote: true }],
    ]);
  });

  test("is told as its own where the notice overtakes the answer, and as another's where no answer comes", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const gates: (() => void)[] = [];
    class Slow extends Remote {
      override async revokeUser(userId: string, at: { now: number; tombstoneUntil: number }) {
        const answer = this.memory.revokeUser(userId, at);
        await new Promise<void>((resolve) => gates.push(resolve));
        return answer;
      }
    }
    const backend = new Backend();
    const [one, other] = [join(new Slow(backend)), join(new Remote(backend))];
    await settled();
    await signedIn(one.sessions, "ann");
    const revoking = one.sessions.forUser("ann").revokeAll();
    await until(() => other.heard.length > 0);
    expect(one.heard).toEqual([]);
    gates[0]?.();
    await revoking;
    await settled();
    expect(one.heard.splice(0)).toEqual([{ count: 1, remote: false }]);

    await signedIn(one.sessions, "bob");
    const lost = expect(one.sessions.forUser("bob").revokeAll()).rejects.toMatchObject({ code: "ERR_SESSION_STORE" });
    await settled();
    await vi.advanceTimersByTimeAsync(2_100);
    await lost;
    expect(one.heard).toEqual([{ count: 1, remote: true }]);
  });

  test("tells a sign-out to the other processes", async () => {
    const [one, other] = fleet();
    await settled();
    const ann = await signedIn(one.sessions, "ann");
    await ann.visit((session) => session.logout());
    await settled();
    expect([one.heard, other.heard]).toEqual([[], [{ count: 1, remote: true }]]);
  });

  test("is not told to who signs out under an id that rotateEvery has changed twice meanwhile", async () => {
    let now = Date.UTC(2030, 0, 1);
    const backend = new Backend();
    const options = { rotateEvery: 60, rotationGrace: 60, now: () => now };
    const [one, other] = [join(new Remote(backend), options), join(new Remote(backend), options)];
    await settled();
    const ann = await signedIn(one.sessions, "ann");
    const { session } = await one.connect(ann);
    for (let round = 0; round < 2; round += 1) {
      now += 61_000;
      await ann.visit((visit) => visit.get("n"));
    }
    await session.logout();
    await settled();
    expect([one.heard, other.heard.splice(0)]).toEqual([[], [{ count: 1, remote: true }]]);
    await signedIn(other.sessions, "ann");
    await other.sessions.forUser("ann").revokeAll();
    await settled();
    expect(one.heard).toEqual([{ count: 1, remote: true }]);
  });
});
