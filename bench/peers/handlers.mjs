import { content } from "../cases.mjs";

/** Handlers over a session whose fields are properties. */
export function bagHandlers(of = (at) => at.session) {
  return {
    "/untouched": () => "ok",
    "/read": (at, context) => of(at, context).userId,
    "/write": (at, context) => {
      const session = of(at, context);
      session.counter = session.counter + 1;
      return "ok";
    },
    "/create": (at, context) => {
      Object.assign(of(at, context), content);
      return "ok";
    },
    "/counter": (at, context) => String(of(at, context).counter),
  };
}

/** Handlers over a session with `get` and `set`. */
export function mapHandlers(of = (at) => at.session) {
  return {
    "/untouched": () => "ok",
    "/read": (at) => of(at).get("userId"),
    "/write": (at) => {
      const session = of(at);
      session.set("counter", session.get("counter") + 1);
      return "ok";
    },
    "/create": (at) => {
      const session = of(at);
      for (const [name, value] of Object.entries(content)) session.set(name, value);
      return "ok";
    },
    "/counter": (at) => String(of(at).get("counter")),
  };
}

export const SECRET = "only-for-the-benchmark-0123456789abcdef";
export const DAY = 86_400;
