import { getIronSession } from "iron-session";
import { content } from "../cases.mjs";
import { DAY, SECRET } from "./handlers.mjs";

const options = { cookieName: "iron", password: SECRET, ttl: DAY, cookieOptions: { secure: false } };

/** A function that the handler calls: an untouched request has nothing to do with it. */
export function setUp() {
  const open = (request, response) => getIronSession(request, response, options);
  return {
    middleware: null,
    waits: true,
    handlers: {
      "/untouched": () => "ok",
      "/read": async (request, response) => (await open(request, response)).userId,
      "/write": async (request, response) => {
        const session = await open(request, response);
        session.counter = session.counter + 1;
        await session.save();
        return "ok";
      },
      "/create": async (request, response) => {
        const session = await open(request, response);
        Object.assign(session, content);
        await session.save();
        return "ok";
      },
      "/counter": async (request, response) => String((await open(request, response)).counter),
    },
  };
}
