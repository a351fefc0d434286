import express from "express4";
import { test } from "vitest";
import { adapterContract } from "../../src/testing/index.ts";
import { expressCookieWays, startExpress } from "../support/express-app.ts";

adapterContract({ test, start: (app) => startExpress(express(), app, false), cookieWays: expressCookieWays });
