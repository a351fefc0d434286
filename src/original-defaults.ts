import { randomUuid } from "./core/crypto.ts";
import type { SessionOptions } from "./create-sessions.ts";
import { pythonCookie } from "./http/python-cookie.ts";

/**
 * The options under which this library behaves as the Python original does: its cookie, its ids, a session for every
 * visitor, and any secret. For moving over, and for running beside it.
 *
 * @example
 * app.use(fastSession({ ...originalDefaults, secretKey: process.env.SECRET_KEY! }));
 */
export const originalDefaults: Omit<SessionOptions, "secretKey"> = Object.freeze({
  cookieFormat: pythonCookie({ signAgain: false }),
  idGenerator: randomUuid,
  saveUninitialized: true,
  allowShortSecret: true,
});
