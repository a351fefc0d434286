/**
 * A server whose clients leave at every point of a request, in a process that can be asked to collect its garbage: prints
 * what is left of them, for `departures.processes.test.ts`.
 */
import { createServer } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { once } from "node:events";
import { fastSession } from "../../src/adapters/node.ts";
import type { LiveInfo } from "../../src/core/live-info.ts";
import { createSessions } from "../../src/create-sessions.ts";
import { MemoryStore } from "../../src/stores/memory.ts";
import { HostileStore } from "../../src/testing/hostile-store.ts";

const CLIENTS = Number(process.argv[2]);
const AT_ONCE = 50;
const { gc } = globalThis as { gc?: () => void };
if (gc === undefined) throw new Error("node --expose-gc");

const troubles: string[] = [];
for (const event of ["uncaughtException", "unhandledRejection"] as const) {
  process.on(event, (error: unknown) => troubles.push(String(error)));
}

/** Opened by the clients' leaving, so that a handler goes on afterwards. */
let gate: PromiseWithResolvers = withResolvers();
interface PromiseWithResolvers {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
}
function withResolvers(): PromiseWithResolvers {
  let resolve = (): void => undefined;
  const promise = new Promise<void>((done) => (resolve = done));
  return { promise, resolve };
}

let arrived = 0;
let entered = 0;
let finished = 0;
let watched: WeakRef<object>[] = [];

/** Moves with each look at it, so that no two deadlines are equally far away. */
let time = Date.now();
const memory = new MemoryStore();
const store = new HostileStore(memory, { local: false });
const sessions = createSessions({
  secretKey: "a secret of more than thirty-two bytes",
  secure: "auto",
  store,
  storeTimeout: 60,
  now: () => (time += 1),
  sweepInterval: 0,
  logLevel: "silent",
});
const server = createServer(
  fastSession(sessions)(async (request, response) => {
    const { session } = request;
    entered += 1;
    // The store in the middle has the feed, and its type does not say so.
    const { signal } = session.info as LiveInfo;
    watched.push(new WeakRef(request), new WeakRef(session), new WeakRef(response), new WeakRef(signal));
    try {
      if (request.url === "/handler") await gate.promise;
      session.increment("n");
      if (request.url === "/body") {
        response.write("the first part");
        await gate.promise;
        session.increment("n");
      }
      response.end("done");
    } finally {
      finished += 1;
    }
  }),
);
server.prependListener("request", () => (arrived += 1));
server.listen(0, "127.0.0.1");
await once(server, "listening");
const { port } = server.address() as AddressInfo;

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 1));
}

function ask(path: string, cookie: string): Socket {
  const socket = connect(port, "127.0.0.1").on("error", () => undefined);
  socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nCookie: ${cookie}\r\n\r\n`);
  return socket;
}

const cookies = await Promise.all(
  Array.from({ length: AT_ONCE }, async () => {
    const response = await fetch(`http://127.0.0.1:${port}/`);
    return response.headers.getSetCookie()[0]?.split(";", 1)[0] as string;
  }),
);
const keys = cookies.map((cookie) => sessions.config.keyOf(cookie.slice("sid=".length).split(".", 1)[0] as string));
/** How often each session was counted up: whoever left, what its request recorded is saved. */
let counted = 1;
function isSaved(): boolean {
  const texts = keys.map((key) => memory.load(key, time)).map((at) => at?.kind === "session" && at.fields["n"]);
  return texts.every((text) => text === String(counted));
}

const everywhere = (): Socket[] => cookies.map((cookie) => ask(path, cookie));
let path = "/";

async function leave(sockets: readonly Socket[]): Promise<void> {
  const closed = sockets.map((socket) => once(socket, "close"));
  for (const socket of sockets) socket.destroy();
  await Promise.all(closed);
}
let connections = 0;
server.on("connection", (socket) => {
  connections += 1;
  socket.on("close", () => (connections -= 1));
});

/** What has to have happened when all clients of a round leave. */
const points: Record<string, () => Promise<void>> = {
  "while the session is read": async () => {
    const held = store.hold("load");
    const sockets = everywhere();
    // Each asks the store as soon as it is here.
    await until(() => arrived === AT_ONCE);
    await leave(sockets);
    await until(() => connections === 0);
    held.release();
  },
  "in the handler": async () => {
    path = "/handler";
    const sockets = everywhere();
    await until(() => entered === AT_ONCE);
    await leave(sockets);
    await until(() => connections === 0);
    gate.resolve();
  },
  "while the change is saved": async () => {
    const held = store.hold("commit");
    const sockets = everywhere();
    await until(() => store.calls.filter((verb) => verb === "commit").length >= AT_ONCE);
    await leave(sockets);
    held.release();
  },
  "in the middle of the body": async () => {
    path = "/body";
    const sockets = everywhere();
    await Promise.all(sockets.map((socket) => once(socket, "data")));
    await leave(sockets);
    await until(() => connections === 0);
    gate.resolve();
  },
  "after the response": async () => {
    const sockets = everywhere();
    await Promise.all(sockets.map((socket) => once(socket, "data")));
    await leave(sockets);
  },
};

async function round(point: () => Promise<void>): Promise<void> {
  [path, arrived, entered, finished, gate] = ["/", 0, 0, 0, withResolvers()];
  store.takeCalls();
  await point();
  counted += path === "/body" ? 2 : 1;
  await until(() => entered === AT_ONCE && finished === AT_ONCE && connections === 0 && isSaved());
}

/** Answers how many of the objects that requests had are still there, when the last of them is to go. */
async function left(): Promise<number> {
  let alive = watched.length;
  for (let attempt = 0; attempt < 100 && alive > 0; attempt += 1) {
    await new Promise((resolve) => setTimeout(resolve, 10));
    gc?.();
    alive = watched.filter((ref) => ref.deref() !== undefined).length;
  }
  return alive;
}

async function heap(): Promise<number> {
  watched = [];
  store.takeCalls();
  await left();
  gc?.();
  return process.memoryUsage().heapUsed;
}

// What is made once is made now.
for (const point of Object.values(points)) for (let warm = 0; warm < 20; warm += 1) await round(point);
const before = await heap();
const remains: Record<string, number> = {};
for (const [name, point] of Object.entries(points)) {
  for (let clients = 0; clients < CLIENTS; clients += AT_ONCE) await round(point);
  const { length } = watched;
  if (length !== CLIENTS * 4) troubles.push(`${name}: ${length} objects were watched`);
  remains[name] = await left();
  watched = [];
}
const growth = (await heap()) - before;

// Whoever stays is served as ever.
const response = await fetch(`http://127.0.0.1:${port}/`, { headers: { cookie: cookies[0] as string } });
if (response.status !== 200) troubles.push(`answered ${response.status}`);
server.closeAllConnections();
await new Promise((resolve) => server.close(resolve));
await sessions.close();
console.log(JSON.stringify({ remains, growth, troubles }));
