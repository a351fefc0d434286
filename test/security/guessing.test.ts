import express from "express";
import { afterEach, expect, it } from "vitest";
import { fastSession } from "../../src/adapters/express.ts";
import { MemoryStore } from "../../src/stores/memory.ts";
import { HostileStore } from "../../src/testing/hostile-store.ts";
import type { AdapterServer } from "../../src/testing/index.ts";
import { listen } from "../support/node-answers.ts";
import { createServer } from "node:http";

const secretKey = "a secret of these tests, which everybody can read";
const servers: AdapterServer[] = [];

afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

it.each([true, false])(
  "guesses are counted by the address that they come from, in middleware beside the framework's (local store: %s)",
  async (local) => {
    const store = new HostileStore(new MemoryStore(), { local });
    const guesses = new Map<string, number>();
    const app = express();
    app.set("trust proxy", true);
    // As docs/security.md shows it.
    app.use(fastSession({ secretKey, store, secure: "auto", logLevel: "silent" }), (req, _res, next) => {
      const { cause } = req.session.info;
      if (cause === "malformed" || cause === "bad-signature") {
        guesses.set(req.ip ?? "", (guesses.get(req.ip ?? "") ?? 0) + 1);
      }
      next();
    });
    app.get("/write", (req, res) => void res.json((req.session["n"] = 1)));
    app.get("/", (_req, res) => void res.send("a page that looks at no session"));
    const listening = await listen(createServer(app));
    servers.push(listening);
    const ask = (from: string, cookie?: string, path = "/"): Promise<Response> => {
      const headers = { "x-forwarded-for": from, ...(cookie === undefined ? {} : { cookie }) };
      return fetch(listening.origin + path, { headers });
    };
    const written = await ask("192.0.2.1", undefined, "/write");
    const cookie = written.headers.getSetCookie()[0]?.split(";", 1)[0] as string;
    const forged = cookie.slice(0, -2) + (cookie.endsWith("AA") ? "EE" : "AA");
    store.takeCalls();
    for (let guess = 0; guess < 5; guess += 1) await ask("203.0.113.7", forged);
    for (let guess = 0; guess < 3; guess += 1) await ask("203.0.113.8", "sid=garbage");
    expect(store.takeCalls()).toEqual([]);
    await ask("192.0.2.1", cookie);
    await ask("192.0.2.2");
    expect(Object.fromEntries(guesses)).toEqual({ "203.0.113.7": 5, "203.0.113.8": 3 });
  },
);
