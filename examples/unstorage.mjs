// Sessions in a storage of unstorage, here of files, which know no expiry: they are swept.
import { serve } from "@hono/node-server";
import { fastSession } from "fastsession/hono";
import { fromUnstorage } from "fastsession/stores/unstorage";
import { Hono } from "hono";
import { createStorage } from "unstorage";
import files from "unstorage/drivers/fs-lite";

const storage = createStorage({ driver: files({ base: process.env.SESSION_FOLDER ?? "sessions" }) });
const store = fromUnstorage(storage, { sweep: true });

export const app = new Hono();
app.use(fastSession({ secretKey: process.env.SESSION_SECRET, store }));
app.get("/", (c) => c.json({ visits: c.var.session.increment("visits") }));

if (process.argv[1] === import.meta.filename) serve({ fetch: app.fetch, port: 3000 });
