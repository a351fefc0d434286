import { FastifyAdapter } from "@nestjs/platform-fastify";
import { test } from "vitest";
import { adapterContract } from "../../src/testing/index.ts";
import { FastifyAnswer, fastifyCookieWays } from "../support/fastify-answer.ts";
import { startNest } from "../support/nest-app.ts";

adapterContract({
  test,
  start: (app) => startNest(new FastifyAdapter(), ["*"], (reply) => new FastifyAnswer(reply), app),
  cookieWays: fastifyCookieWays,
});
