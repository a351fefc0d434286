/**
 * Serves the demo: `npm start`, then http://localhost:18080.
 *
 * `PORT` changes the port and `DATA_FOLDER` where the sessions and the secret are kept; `SESSION_SECRET` replaces the
 * secret that the first start makes.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { serve } from "@hono/node-server";
import { createSessions } from "fastsession";
import { SqliteStore } from "fastsession/stores/sqlite";
import { KEPT } from "./account.ts";
import { createApp } from "./app.ts";
import { secretFrom } from "./secret.ts";
import type { Data } from "./visitor.ts";

const port = Number(process.env["PORT"] ?? 18_080);
const folder = process.env["DATA_FOLDER"] ?? fileURLToPath(new URL("../.data/", import.meta.url));

process.umask(0o077);
mkdirSync(folder, { recursive: true });

const store = new SqliteStore(join(folder, "sessions.sqlite"));
store.open();
const sessions = createSessions<Data>({
  secretKey: process.env["SESSION_SECRET"] ?? secretFrom(join(folder, "secret")),
  store,
  // Over TLS the cookie is Secure; on http://localhost it has to do without.
  secure: "auto",
  absoluteTimeout: KEPT,
});

const server = serve({ fetch: createApp(sessions).fetch, port }, (address) => {
  console.log(`fastsession demo: http://localhost:${address.port}`);
});

server.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EADDRINUSE") throw error;
  console.error(`Port ${port} is taken by another program. Choose one: PORT=${port + 1} npm start`);
  process.exitCode = 1;
  void sessions.close();
});

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => {
    // Requests under way get their answers; then the store may close.
    server.close(() => void sessions.close());
    // Browsers hold connections in reserve that never had a request, and count as busy.
    setTimeout(() => "closeAllConnections" in server && server.closeAllConnections(), 1000).unref();
  });
}
