import type { Request } from "express";
import type { FastifyRequest } from "fastify";
import { Hono } from "hono";
import { describe, expectTypeOf, it } from "vitest";
import "../../src/adapters/express.ts";
import "../../src/adapters/fastify.ts";
import { fastSession as fetchSession } from "../../src/adapters/fetch.ts";
import { fastSession as honoSession, type SessionEnv } from "../../src/adapters/hono.ts";
import { fastSession as koaSession } from "../../src/adapters/koa.ts";
import { fastSession as nodeSession } from "../../src/adapters/node.ts";
import {
  createSessions,
  type LiveInfo,
  MemoryStore,
  type Session,
  type Sessions,
  type SessionStore,
  type SimpleStore,
  type StandardSchema,
} from "../../src/index.ts";
import { cached } from "../../src/stores/cached.ts";

interface Shop {
  cart: string[];
}
declare const anyStore: SessionStore;
declare const simpleStore: SimpleStore;
declare const remote: SessionStore;
declare const schema: { readonly cart: StandardSchema<unknown, string[]> };
const secretKey = "";
const request = { headers: {} };

describe("info.signal is offered", () => {
  it("without a store and with one whose type has a feed", async () => {
    const plain = await createSessions({ secretKey }).open(request);
    expectTypeOf(plain.info.signal).toEqualTypeOf<AbortSignal>();
    const typed = await createSessions<Shop>({ secretKey, store: new MemoryStore() }).open(request);
    expectTypeOf(typed.info.signal).toEqualTypeOf<AbortSignal>();
    expectTypeOf(typed.cart).toEqualTypeOf<string[]>();
    const checked = await createSessions({ secretKey, schema, store: cached(remote) }).open(request);
    expectTypeOf(checked.info.signal).toEqualTypeOf<AbortSignal>();
    expectTypeOf(checked.cart).toEqualTypeOf<string[]>();
  });

  it("where an adapter was given such sessions", () => {
    const sessions = createSessions<Shop>({ secretKey });
    fetchSession(sessions)((_request, session) => {
      expectTypeOf(session.info).toEqualTypeOf<LiveInfo>();
      return new Response();
    });
    nodeSession(sessions)((req) => {
      expectTypeOf(req.session.info).toEqualTypeOf<LiveInfo>();
    });
    new Hono().use(honoSession(sessions)).get("/", (c) => {
      expectTypeOf(c.var.session.info).toEqualTypeOf<LiveInfo>();
      return c.text("");
    });
    expectTypeOf(koaSession(sessions)).not.toBeAny();
  });
});

describe("info.signal can be said to be there", () => {
  it("where a framework declares one session for all applications", () => {
    type OnExpress = Request["session"] & { readonly info: LiveInfo };
    type OnFastify = FastifyRequest["session"] & { readonly info: LiveInfo };
    const signals = (express: Request, fastify: FastifyRequest) => [
      (express.session as OnExpress).info.signal,
      (fastify.session as OnFastify).info.signal,
    ];
    expectTypeOf(signals).returns.toEqualTypeOf<AbortSignal[]>();
    expectTypeOf<OnExpress["cart"]>().toBeAny();
  });
});

describe("info.signal is not offered", () => {
  it("on a store without a feed, or whose type does not tell", async () => {
    const simple = await createSessions({ secretKey, store: simpleStore }).open(request);
    // @ts-expect-error no feed
    void simple.info.signal;
    const any = await createSessions<Shop>({ secretKey, store: anyStore }).open(request);
    // @ts-expect-error perhaps no feed
    void any.info.signal;
    expectTypeOf(any.cart).toEqualTypeOf<string[]>();
    const checked = await createSessions({ secretKey, schema, store: simpleStore }).open(request);
    // @ts-expect-error no feed
    void checked.info.signal;
    expectTypeOf(checked.cart).toEqualTypeOf<string[]>();
  });

  it("where an adapter was given options", () => {
    fetchSession<Shop>({ secretKey })((_request, session) => {
      // @ts-expect-error give it sessions
      void session.info.signal;
      return new Response();
    });
  });
});

describe("live sessions serve where any do", () => {
  it("as sessions, as a session, and in an application that says less", () => {
    const sessions = createSessions<Shop>({ secretKey });
    expectTypeOf(sessions).toExtend<Sessions<Shop>>();
    expectTypeOf<Session<Shop, LiveInfo>>().toExtend<Session<Shop>>();
    new Hono<SessionEnv<Shop>>().use(honoSession(sessions)).get("/", (c) => c.json(c.var.session.cart));
    new Hono<SessionEnv<Shop, LiveInfo>>()
      .use(honoSession(sessions))
      .get("/", (c) => c.json(c.var.session.info.signal.aborted));
  });
});
