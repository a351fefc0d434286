/** What something that is no Redis answers, or a Redis behind a proxy that mixes answers up: nothing of it is a success. */
import { type AddressInfo, createServer, type Server } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { newHandle, newId, newOperation, hashedKey, userTag } from "../../src/core/session-id.ts";
import type { NewSession } from "../../src/core/session-record.ts";
import { createSessions } from "../../src/create-sessions.ts";
import { RedisStore } from "../../src/stores/redis.ts";
import { Browser } from "../support/browser.ts";
import { type Connected, singleClients } from "../support/redis-clients.ts";

const KEY = hashedKey("sid", newId(userTag("ann")));
const OTHER = hashedKey("sid", newId(userTag("ann")));
const NOW = 1_800_000_000_000;
const LATER = NOW + 3_600_000;
const bind = { userId: "ann", metadata: {}, maxAge: null };
const change = { operation: newOperation(), now: NOW, set: { n: "1" } };
const record: NewSession = {
  key: KEY,
  fields: { n: "1" },
  createdAt: NOW,
  lastUsedAt: NOW,
  expiresAt: LATER,
  handle: newHandle(),
};
const leave = { kind: "tombstone", reason: "rotated", until: LATER } as never;

const calls: Record<string, (store: RedisStore) => Promise<unknown>> = {
  create: (store) => store.create(record, { operation: newOperation(), now: NOW }),
  "create of a user's session": (store) => store.create(record, { operation: newOperation(), now: NOW, bind }),
  commit: (store) => store.commit(KEY, change),
  renew: (store) => store.renew(KEY, { now: NOW, lastUsedAt: NOW, expiresAt: LATER }),
  rotate: (store) => store.rotate(KEY, OTHER, change, { leave }),
  destroy: (store) => store.destroy(KEY, { now: NOW, tombstoneUntil: LATER }),
  lock: (store) => store.lock(KEY, { now: NOW, lease: 1000 }),
  listByUser: (store) => store.listByUser("ann", { now: NOW, limit: 10, after: null }),
  revokeHandle: (store) => store.revokeHandle("handle", { now: NOW, tombstoneUntil: LATER }),
  revokeUser: (store) => store.revokeUser("ann", { now: NOW, tombstoneUntil: LATER }),
};

/** Replies as they stand on the wire, and the verbs that they are an answer to. */
const replies: readonly (readonly [wire: string, fits: readonly string[]])[] = [
  ["+PONG", []],
  ["+OK", []],
  [":0", ["commit", "renew", "rotate", "destroy"]],
  [":1", ["commit", "renew", "destroy"]],
  [":-1", []],
  [":2", ["commit"]],
  ["$-1", ["lock", "revokeHandle"]],
  ["*-1", ["lock", "revokeHandle"]],
  ["*0", []],
  ["$0\r\n", []],
  ["$3\r\nfoo", []],
  ["$1\r\n1", ["commit", "renew", "destroy"]],
  ["*1\r\n+PONG", []],
  ["*1\r\n+ok", []],
  ["*2\r\n+ok\r\n:0", []],
  ["*2\r\n+ok\r\n$-1", []],
  ["*2\r\n+foo\r\n:1", []],
  ["*3\r\n+ok\r\n:1\r\n:7", []],
  ["*2\r\n*0\r\n*0", []],
];

let reply = "";
let server: Server;
/** Answers each command with `reply`, but for what clients say as they connect. */
beforeAll(async () => {
  server = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.on("data", (data) => {
      for (const [, name = ""] of data.toString("latin1").matchAll(/\*\d+\r\n\$\d+\r\n([A-Za-z]+)/g)) {
        if (/^eval/i.test(name)) socket.write(`${reply}\r\n`);
        else if (/^info$/i.test(name)) socket.write("$19\r\nredis_version:7.2.0\r\n");
        else socket.write(/^hello$/i.test(name) ? "*2\r\n+server\r\n+redis\r\n" : "+OK\r\n");
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});
afterAll(() => new Promise((resolve) => server.close(resolve)));

describe.for(["ioredis 5", "node-redis"])("with %s", (name) => {
  let connected: Connected;
  let store: RedisStore;
  beforeAll(async () => {
    connected = (await singleClients[name]?.((server.address() as AddressInfo).port)) as Connected;
    store = new RedisStore(connected.client);
  });
  afterAll(() => void connected.close());

  it.for(replies.map(([wire, fits]) => [JSON.stringify(wire), wire, fits] as const))(
    "the answer %s is none",
    async ([, wire, fits]) => {
      reply = wire;
      for (const [verb, call] of Object.entries(calls)) {
        if (fits.some((one) => verb === one)) continue;
        const answer: unknown = await call(store).catch((error: unknown) => error);
        // Of what comes after a read nothing was sent, perhaps.
        const certain = /^(listByUser|revokeHandle)$/.test(verb);
        const code = expect.stringMatching(certain ? /^ERR_SESSION_STORE(_UNKNOWN)?$/ : /^ERR_SESSION_STORE_UNKNOWN$/);
        expect([verb, answer]).toEqual([verb, expect.objectContaining({ name: "FastSessionError", code })]);
      }
    },
  );

  it("nobody is signed in, saved or signed out by any of them", async () => {
    const secretKey = "a secret of more than thirty-two bytes";
    const sessions = createSessions({ secretKey, store, logLevel: "silent", storeTimeout: 5 });
    for (const [wire] of replies) {
      reply = wire;
      for (const act of [
        (session: { set: Function }) => session.set("n", 1),
        (session: { login: Function }) => session.login("ann"),
      ]) {
        const browser = new Browser(sessions);
        await expect(browser.visit(act as never)).rejects.toMatchObject({ status: 503 });
        expect(browser.cookie).toBeUndefined();
      }
    }
  });
});
