import { betterAuth } from "better-auth";
import { memoryAdapter } from "better-auth/adapters/memory";
import { USER_ID } from "../cases.mjs";
import { SECRET } from "./handlers.mjs";

/** Its session check: whose request is it? It has no data to write, so it has one case. */
export function setUp() {
  const auth = betterAuth({
    database: memoryAdapter({ user: [], session: [], account: [], verification: [] }),
    secret: SECRET,
    baseURL: "http://127.0.0.1",
    // Hashing passwords is not what is measured.
    emailAndPassword: { enabled: true, password: { hash: async (text) => text, verify: async () => true } },
    rateLimit: { enabled: false },
    telemetry: { enabled: false },
    logger: { disabled: true },
  });
  let users = 0;
  return {
    middleware: null,
    waits: true,
    handlers: {
      "/untouched": () => "ok",
      "/read": async ({ headers: { cookie } }) => {
        const found = await auth.api.getSession({ headers: new Headers(cookie === undefined ? {} : { cookie }) });
        return found === null ? "nobody" : USER_ID;
      },
      "/create": async (_request, response) => {
        const body = { name: "x", email: `user${(users += 1)}@example.com`, password: "password-1234" };
        const { headers } = await auth.api.signUpEmail({ body, returnHeaders: true });
        response.setHeader("set-cookie", headers.getSetCookie());
        return "ok";
      },
    },
  };
}
