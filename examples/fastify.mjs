import Fastify from "fastify";
import { fastSession } from "fastsession/fastify";

export const app = Fastify();
app.register(fastSession({ secretKey: process.env.SESSION_SECRET }));
app.get("/", (request) => ({ visits: request.session.increment("visits") }));

if (process.argv[1] === import.meta.filename) await app.listen({ port: 3000 });
