import type { Request } from "express";
import { describe, expectTypeOf, it } from "vitest";
import "../../src/adapters/express.ts";
import { fastSession as fetchSession } from "../../src/adapters/fetch.ts";
import { fastSession as honoSession } from "../../src/adapters/hono.ts";
import { fastSession as nodeSession } from "../../src/adapters/node.ts";
import { createSessions, type FastSession, type Session, type StandardSchema, verifyCsrf } from "../../src/index.ts";

interface Shop {
  userId: number;
  visits?: number;
  cart: string[];
  theme?: "dark" | "light";
}

declare const session: Session<Shop>;
declare const loose: FastSession;
const secretKey = "";

describe("a session of a known shape", () => {
  it("knows its items, get and set", () => {
    expectTypeOf(session.cart).toEqualTypeOf<string[]>();
    expectTypeOf(session["userId"]).toEqualTypeOf<number>();
    expectTypeOf(session.get("userId")).toEqualTypeOf<number | undefined>();
    expectTypeOf(session.get("theme", "dark")).toEqualTypeOf<"dark" | "light">();
    expectTypeOf(session.get("userId", null)).toEqualTypeOf<number | null>();
    expectTypeOf(session.getSession()).toEqualTypeOf<Shop>();
    expectTypeOf(session.update("userId", (n = 0) => n + 1)).toEqualTypeOf<number | undefined>();
  });

  it("counts numbers and appends to lists", () => {
    expectTypeOf(session.increment("visits")).toEqualTypeOf<number>();
    expectTypeOf(session.append("cart", "tea")).toEqualTypeOf<string[]>();
    // @ts-expect-error no number
    session.increment("cart");
    // @ts-expect-error no list
    session.append("theme", "dark");
    // @ts-expect-error not an item of this list
    session.append("cart", 7);
  });

  it("refuses wrong fields and values", () => {
    // @ts-expect-error no such field
    session.get("nothing");
    // @ts-expect-error not of this type
    session.set("userId", "7");
    // @ts-expect-error not of this type
    session.userId = "7";
  });

  it("has its members, whatever the data", () => {
    expectTypeOf(session.info.userId).toEqualTypeOf<string | null>();
    expectTypeOf(session.saveSession()).toEqualTypeOf<Promise<void>>();
    expectTypeOf(session.csrfToken()).toEqualTypeOf<string>();
    expectTypeOf(verifyCsrf(session, undefined)).toEqualTypeOf<boolean>();
  });
});

describe("a session of any shape", () => {
  it("is the original's: every field of any type", () => {
    loose["counter"] = loose.get("counter", 0) + 1;
    expectTypeOf(loose["counter"]).toBeAny();
    loose.increment("visits");
    loose.append("cart", "tea", 7);
    expectTypeOf(loose.getSessionId()).toEqualTypeOf<string>();
  });

  it("keeps the types of its members on Express, and has those of express-session", () => {
    const one = {} as Request["session"];
    expectTypeOf(one["counter"]).toBeAny();
    expectTypeOf(one.getSessionId()).toEqualTypeOf<string>();
    expectTypeOf(one.info.userId).toEqualTypeOf<string | null>();
    expectTypeOf(one.login("ann")).toEqualTypeOf<Promise<void>>();
    expectTypeOf(one.regenerate({ keep: ["counter"] })).toEqualTypeOf<Promise<void>>();
    expectTypeOf(one.save(() => undefined)).toEqualTypeOf<void>();
  });
});

describe("types flow", () => {
  it("from a type parameter into each framework", () => {
    const sessions = createSessions<Shop>({ secretKey });
    const middleware = honoSession(sessions);
    expectTypeOf(middleware).parameter(0).toHaveProperty("var");
    fetchSession(sessions)((_request, one) => {
      expectTypeOf(one.cart).toEqualTypeOf<string[]>();
      return new Response();
    });
    nodeSession<Shop>({ secretKey })((request) => {
      expectTypeOf(request.session.userId).toEqualTypeOf<number>();
    });
  });

  it("from a schema", () => {
    const schema = {} as { userId: StandardSchema<unknown, number>; cart: StandardSchema<unknown, string[]> };
    const sessions = createSessions({ secretKey, schema });
    fetchSession(sessions)((_request, one) => {
      expectTypeOf(one.userId).toEqualTypeOf<number>();
      expectTypeOf(one.get("cart")).toEqualTypeOf<string[] | undefined>();
      return new Response();
    });
  });
});
