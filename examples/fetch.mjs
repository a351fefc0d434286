import { serve } from "@hono/node-server";
import { fastSession } from "fastsession/fetch";

const session = fastSession({ secretKey: process.env.SESSION_SECRET });
const visits = session((request, session) => Response.json({ visits: session.increment("visits") }));
// Bun, Deno and Workers serve it as `export default app`.
export const app = { fetch: visits };

if (process.argv[1] === import.meta.filename) serve({ fetch: app.fetch, port: 3000 });
