/** A server that stands still in the middle of traffic, and one whose answers come when nobody waits for them any more. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import {
  type ClientName,
  type FaultyServer,
  openClient,
  type ServerName,
  SERVERS,
  startServer,
} from "../support/fault-clients.ts";
import { CuttingProxy } from "../support/cutting-proxy.ts";
import { Traffic, TrafficBrowser } from "../support/fault-traffic.ts";

const closing: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

/** Browsers that are signed in, before a server that reaches its store by a port. */
async function open(
  client: ClientName,
  port: number,
  storeTimeout: number,
  connections?: number,
): Promise<{ readonly traffic: Traffic; readonly browsers: readonly TrafficBrowser[] }> {
  const { store, close } = await openClient(client, port, connections);
  closing.push(close);
  const traffic = await Traffic.start(store, storeTimeout);
  closing.push(() => traffic.stop());
  const browsers = Array.from({ length: 6 }, (_, index) => new TrafficBrowser(traffic, `${client} ${index}`));
  for (const browser of browsers) expect(await browser.login()).toBe(true);
  return { traffic, browsers };
}

/** Goes on until all browsers are as somebody wants them. */
async function goOn(browsers: readonly TrafficBrowser[], until: (browser: TrafficBrowser) => boolean): Promise<void> {
  await Promise.all(
    browsers.map(async (browser) => {
      do await browser.round();
      while (!browsers.every(until));
    }),
  );
}

/** Until the store answers everybody, and all is there. */
async function recover(browsers: readonly TrafficBrowser[]): Promise<void> {
  for (const browser of browsers) while (!(await browser.check()));
}

describe.each(Object.keys(SERVERS) as ServerName[])("%s", (name) => {
  let server: FaultyServer;

  beforeAll(async () => {
    server = await startServer(name);
  });
  afterAll(() => server.stop());

  test("that freezes costs each request its deadline, and sessions are back when it is", async () => {
    const all = await Promise.all(SERVERS[name].map((client) => open(client, server.port, 1)));
    await Promise.all(all.map(({ browsers }) => goOn(browsers, ({ answered }) => answered > 10)));
    server.freeze();
    closing.push(() => server.thaw());
    await Promise.all(
      all.map(async ({ traffic, browsers }) => {
        const [first, second, ...others] = browsers as [TrafficBrowser, TrafficBrowser];
        const statuses = await Promise.all([
          traffic.send("/", "nobody").then(({ status }) => status),
          traffic.send("/add", "nobody").then(({ status }) => status),
          traffic.send("/login", "nobody").then(({ status }) => status),
          first.leave("/logout"),
          second.leave("/regenerate"),
          goOn(others, ({ failed }) => failed > 2),
        ]);
        // Who has no cookie needs no store to be told so.
        expect(statuses.slice(0, 5)).toEqual([200, 503, 503, 503, 503]);
      }),
    );
    server.thaw();
    for (const { traffic, browsers } of all) {
      await recover(browsers);
      const others = browsers.slice(2);
      const enough = Math.max(...others.map(({ answered }) => answered)) + 10;
      await goOn(others, ({ answered }) => answered > enough);
      await recover(browsers);
      expect([...traffic.faults]).toEqual([]);
    }
  });

  test.each(SERVERS[name])(
    "whose answers reach %s after the deadline gives none to another request",
    async (client) => {
      const proxy = await CuttingProxy.before(server.port);
      closing.push(() => proxy.close());
      const { traffic, browsers } = await open(client, proxy.port, 0.5, 2);
      await goOn(browsers, ({ answered }) => answered > 10);
      const { connections } = proxy.counts;
      for (let round = 0; round < 2; round += 1) {
        proxy.hold();
        const before = browsers.map(({ failed }) => failed);
        await Promise.all(browsers.map((browser) => browser.round()));
        // Nobody got anything, so all that is held is late.
        expect(browsers.map(({ failed }) => failed)).toEqual(before.map((failed) => failed + 3));
        // Others have asked by the time it arrives.
        const next = browsers.map((browser) => browser.round());
        proxy.release();
        await Promise.all(next);
        await recover(browsers);
      }
      expect([...traffic.faults]).toEqual([]);
      // The connections are those on which the late answers came.
      expect(proxy.counts.connections).toBe(connections);
    },
  );
});
