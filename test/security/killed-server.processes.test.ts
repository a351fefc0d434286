/** A Redis that is killed under an HTTP server and comes back on its port: what browsers are answered meanwhile. */
import { afterEach, describe, expect, test } from "vitest";
import { openClient } from "../support/fault-clients.ts";
import { Traffic, TrafficBrowser } from "../support/fault-traffic.ts";
import { RedisServer } from "../support/redis-server.ts";

const closing: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

describe.each(["ioredis 6", "node-redis"] as const)("with %s", (client) => {
  test("each request is answered within storeTimeout while the server is dead, and sessions are back with it", async () => {
    const server = await RedisServer.start({ appendonly: "yes", appendfsync: "always" });
    closing.push(() => server.stop());
    const { store, close } = await openClient(client, server.port);
    closing.push(close);
    const traffic = await Traffic.start(store, 1);
    closing.push(() => traffic.stop());
    const browsers = Array.from({ length: 50 }, (_, index) => new TrafficBrowser(traffic, `${client} ${index}`));
    for (const browser of browsers) expect(await browser.login()).toBe(true);

    /** They go on until all are as somebody wants them. */
    const goOn = (until: (browser: TrafficBrowser) => boolean): Promise<unknown> =>
      Promise.all(
        browsers.map(async (browser) => {
          do await browser.round();
          while (!browsers.every(until));
        }),
      );
    await goOn(({ answered }) => answered > 3);
    const dying = goOn(({ failed }) => failed > 3);
    await server.kill();
    await dying;
    const [visitor, guest] = await Promise.all([traffic.send("/", "nobody"), traffic.send("/add", "nobody")]);
    // Who has no cookie needs no store to be told so.
    expect([visitor.status, guest.status]).toEqual([200, 503]);
    await server.start();
    // By the same process, client and cookies as before.
    for (const browser of browsers) while (!(await browser.check()));
    const enough = Math.max(...browsers.map(({ answered }) => answered)) + 3;
    await goOn(({ answered }) => answered > enough);
    for (const browser of browsers) expect(await browser.check()).toBe(true);
    expect([...traffic.faults]).toEqual([]);
  });
});
