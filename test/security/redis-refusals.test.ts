/**
 * What Redis answers when it is loading, busy, full or moving, from a server that says just that: each is a typed error in
 * time. A real server is asked in `test/stores/redis-faults.processes.test.ts`, as far as it can be made to say so.
 */
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createSessions, type Sessions } from "../../src/create-sessions.ts";
import { RedisStore } from "../../src/stores/redis.ts";
import { Browser } from "../support/browser.ts";
import { type Connected, singleClients } from "../support/redis-clients.ts";

const secretKey = "a secret of these tests, which everybody can read";

/** A record was made, and nobody had to go for it. */
const CREATED = "*2\r\n$2\r\nok\r\n:1";
let reply = CREATED;

/** What clients ask of their own accord is answered as ever. */
const OF_CLIENTS: Readonly<Record<string, string>> = {
  INFO: "$21\r\nredis_version:7.2.0\r\n",
  CLIENT: "+OK",
  SELECT: "+OK",
  HELLO: "%1\r\n$5\r\nproto\r\n:3",
};

function answer(socket: Socket, bytes: Buffer): void {
  for (const [, command = ""] of bytes.toString("latin1").matchAll(/\*\d+\r\n\$\d+\r\n([A-Za-z]+)/g)) {
    socket.write(`${OF_CLIENTS[command.toUpperCase()] ?? reply}\r\n`);
  }
}

const sockets = new Set<Socket>();
const server = createServer((socket) => {
  sockets.add(socket);
  socket.on("error", () => undefined).on("data", (bytes) => answer(socket, bytes));
});

beforeAll(async () => {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
});
afterAll(() => {
  for (const socket of sockets) socket.destroy();
  server.close();
});

describe.each(["ioredis 5", "ioredis 6", "node-redis"])("with %s", (name) => {
  let connected: Connected;
  let sessions: Sessions;

  beforeAll(async () => {
    reply = CREATED;
    connected = await (singleClients[name] as (typeof singleClients)[string])((server.address() as AddressInfo).port);
    const store = new RedisStore(connected.client);
    sessions = createSessions({ secretKey, store, logLevel: "silent", storeTimeout: 0.3 });
    // Connected, and all that a client asks at first is answered.
    await new Browser(sessions).visit((session) => session.set("n", 1));
  });
  afterAll(() => connected.close());

  test.each([
    ["LOADING Redis is loading the dataset in memory", /see cause/],
    ["BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.", /see cause/],
    ["MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk.", /see cause/],
    ["OOM command not allowed when used memory > 'maxmemory'.", /out of memory/],
    ["READONLY You can't write against a read only replica.", /replica/],
    ["NOSCRIPT No matching script. Please use EVAL.", /see cause/],
    ["MOVED 3999 127.0.0.1:6381", /see cause/],
    ["ASK 3999 127.0.0.1:6381", /see cause/],
    ["CLUSTERDOWN The cluster is down", /see cause/],
    ["MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.", /see cause/],
    ["NOREPLICAS Not enough good replicas to write.", /min-replicas-to-write/],
    ["NOAUTH Authentication required.", /refuses this user/],
    ["NOPERM this user has no permissions to run the 'evalsha' command", /refuses this user/],
    ["WRONGTYPE Operation against a key holding the wrong kind of value", /see cause/],
    ["EXECABORT Transaction discarded because of previous errors.", /see cause/],
  ])("%s is a typed error with what to do, and the next request is served", async (error, remedy) => {
    for (const visit of ["write", "login"] as const) {
      reply = `-${error}`;
      const refused = new Browser(sessions).visit((session) =>
        visit === "write" ? session.set("n", 1) : session.login("ann"),
      );
      // Redis has answered, so nothing has happened: whoever is told may ask again.
      await expect(refused).rejects.toMatchObject({
        code: "ERR_SESSION_STORE",
        status: 503,
        message: expect.stringMatching(remedy) as string,
        cause: expect.objectContaining({
          message: expect.stringContaining(error.split(" ", 1)[0] as string) as string,
        }) as object,
      });
      reply = CREATED;
      const { lines } = await new Browser(sessions).visit((session) => session.set("n", 1));
      expect(lines).toHaveLength(1);
    }
  });

  test("TRYAGAIN is asked again until storeTimeout, and no longer", async () => {
    reply = "-TRYAGAIN Multiple keys request during rehashing of slot";
    await expect(new Browser(sessions).visit((session) => session.set("n", 1))).rejects.toMatchObject({
      code: "ERR_SESSION_STORE_UNKNOWN",
      status: 503,
    });
    const waiting = new Browser(sessions).visit((session) => session.set("n", 1));
    reply = CREATED;
    expect((await waiting).lines).toHaveLength(1);
  });

  test.each(["+PONG", "$-1", ":1", "*0", "$3\r\nfoo"])(
    "%j for an answer is a typed error, and the next request is served",
    async (nonsense) => {
      reply = nonsense;
      await expect(new Browser(sessions).visit((session) => session.set("n", 1))).rejects.toMatchObject({
        code: "ERR_SESSION_STORE_UNKNOWN",
        status: 503,
      });
      reply = CREATED;
      expect((await new Browser(sessions).visit((session) => session.set("n", 1))).lines).toHaveLength(1);
    },
  );
});
