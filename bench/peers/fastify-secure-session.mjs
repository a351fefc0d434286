import secureSession from "@fastify/secure-session";
import { DAY, mapHandlers } from "./handlers.mjs";

export function setUp() {
  const options = { key: Buffer.alloc(32, 7), cookie: { path: "/", httpOnly: true, maxAge: DAY } };
  return { use: (app) => app.register(secureSession, options), handlers: mapHandlers() };
}
