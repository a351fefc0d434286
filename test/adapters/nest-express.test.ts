import { ExpressAdapter } from "@nestjs/platform-express";
import { test } from "vitest";
import { adapterContract } from "../../src/testing/index.ts";
import { ExpressAnswer, expressCookieWays } from "../support/express-app.ts";
import { startNest } from "../support/nest-app.ts";

adapterContract({
  test,
  start: (app) => startNest(new ExpressAdapter(), ["/", "*path"], (response) => new ExpressAnswer(response), app),
  cookieWays: expressCookieWays,
});
