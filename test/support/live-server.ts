/**
 * One process of an application with WebSockets and event streams, over a store that others share. Prints its port, ends
 * with its input.
 *
 * Arguments: `redis` or `postgres`, and the server's URL.
 */
import { createServer } from "node:http";
import { Redis } from "ioredis";
import pg from "pg";
import { WebSocketServer } from "ws";
import { fastSession } from "../../src/adapters/node.ts";
import { createSessions } from "../../src/create-sessions.ts";
import { cached } from "../../src/stores/cached.ts";
import { PostgresStore } from "../../src/stores/postgres.ts";
import { RedisStore } from "../../src/stores/redis.ts";

const [name, url] = process.argv.slice(2) as ["redis" | "postgres", string];

async function openStore() {
  if (name === "redis") return new RedisStore(new Redis(url), { announceChanges: true });
  const store = new PostgresStore(new pg.Pool({ connectionString: url }), { listen: true, announceChanges: true });
  await store.migrate();
  return store;
}

const sessions = createSessions({
  secretKey: "a secret of more than thirty-two bytes",
  secure: "auto",
  // So long that only the feed can be what drops a record.
  store: cached(await openStore(), { maxStale: 3600 }),
  storeTimeout: 20,
});
const heard: { count: number; remote: boolean }[] = [];
sessions.on("revoked", (event) => heard.push(event));

const server = createServer(
  fastSession(sessions)(async ({ session, url = "/" }, response) => {
    const { pathname, searchParams } = new URL(url, "http://localhost");
    const user = searchParams.get("user") ?? "";
    switch (pathname) {
      case "/login":
        await session.login(user);
        break;
      case "/logout":
        await session.logout();
        break;
      case "/revoke":
        await sessions.forUser(user).revokeAll();
        break;
      case "/set":
        session["value"] = user;
        break;
      case "/events":
        response.writeHead(200, { "content-type": "text/event-stream" });
        response.write("data: hello\n\n");
        session.info.signal.addEventListener("abort", () => response.end(`data: ${causeOf(session.info.signal)}\n\n`));
        return;
    }
    response.end(JSON.stringify({ userId: session.info.userId, value: session["value"] as unknown, heard }));
  }),
);

const sockets = new WebSocketServer({ noServer: true });
server.on("upgrade", (request, socket, head) => {
  void sessions.open(request).then(({ info }) => {
    sockets.handleUpgrade(request, socket, head, (webSocket) => {
      const { signal } = info;
      signal.addEventListener("abort", () => webSocket.close(4401, causeOf(signal)));
      webSocket.send(String(info.userId));
    });
  });
});

function causeOf(signal: AbortSignal): string {
  return String((signal.reason as Error).cause);
}

process.stdin.on("end", () => process.exit()).resume();
server.listen(0, "127.0.0.1", () => {
  process.stdout.write(`${(server.address() as { port: number }).port}\n`);
});
