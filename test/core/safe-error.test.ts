import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { hashedKey, newId } from "../../src/core/session-id.ts";
import { createSessions } from "../../src/create-sessions.ts";
import { FastSessionError } from "../../src/core/errors.ts";
import { MemoryStore } from "../../src/stores/memory.ts";
import { HostileStore } from "../../src/testing/hostile-store.ts";
import { Browser } from "../support/browser.ts";

const VALUE = "planted";
const ID = newId();
const KEY = hashedKey("sid", ID);

/** What a store of somebody's own may throw. */
const thrown: Record<string, () => unknown> = {
  "quotes a row": () => new Error(`Duplicate entry '${VALUE}' for key 'PRIMARY'`),
  "quotes over lines": () => new Error(`no row\n    at ${VALUE} (${VALUE}.js:1:1)\nin it`),
  "names an id": () => new Error(`nothing under ${ID}`),
  "names a key": () => new Error(`nothing under ${KEY}`),
  "names a UUID": () => new Error("nothing under 9f1b2c3d-0a1b-4c2d-8e3f-0a1b2c3d4e5f"),
  "has a message put on it later": () => Object.assign(new Error("was"), { message: `now "${VALUE}"` }),
  "has the command with its arguments": () => Object.assign(new Error("no"), { command: { args: [KEY, VALUE] } }),
  "has what was sent as a code": () =>
    Object.assign(new Error("no"), { code: `${VALUE} ${VALUE}`, name: `${VALUE} x` }),
  "is of several errors": () => new AggregateError([new Error(`"${VALUE}"`), { detail: VALUE }], ""),
  "has a cause of its own": () =>
    new Error("no", { cause: new Error("none", { cause: { rows: [VALUE], query: VALUE } }) }),
  "is its own cause": () => {
    const error = new Error(`"${VALUE}"`);
    return Object.assign(error, { cause: error, errors: [error] });
  },
  "is a text": () => `no row ${VALUE}`,
  "is an object": () => ({ message: `'${VALUE}'`, rows: [VALUE] }),
  "is nothing": () => undefined,
  "is a DOMException": () => new DOMException(`'${VALUE}'`, "TimeoutError"),
};
const SECRETS = [VALUE, ID, KEY.slice(7), "9f1b2c3d-0a1b-4c2d-8e3f-0a1b2c3d4e5f"];

/** The error that a visitor's request fails with, and the one that listeners hear of. */
async function failWith(broken: unknown): Promise<{ error: FastSessionError; told: unknown[] }> {
  const store = new HostileStore(new MemoryStore(), { local: false });
  const sessions = createSessions({ secretKey: "a secret of more than thirty-two bytes", store, logLevel: "silent" });
  const told: unknown[] = [];
  sessions.on("store-error", (event) => told.push(event.error));
  store.fail("generation", broken);
  const failure: unknown = await sessions.generation("ann").catch((reason: unknown) => reason);
  expect(failure).toBeInstanceOf(FastSessionError);
  return { error: failure as FastSessionError, told };
}

describe("an error of a store that", () => {
  it.each(Object.entries(thrown))("%s is kept and told without it", async (_what, make) => {
    const { error, told } = await failWith(make());
    expect(told).toHaveLength(1);
    for (const one of [error, error.cause, ...told]) {
      const all = { depth: 10, showHidden: true, getters: true } as const;
      const printed = [inspect(one, { depth: 10 }), inspect(one, all), JSON.stringify(one), String(one)].join("\n");
      for (const secret of SECRETS) expect(printed).not.toContain(secret);
    }
    expect(error.cause).toBeInstanceOf(Error);
    expect((error.cause as Error).name).toMatch(/^\w+$/);
  });
});

describe("of a client's error there stays", () => {
  const cause = async (error: unknown): Promise<Error & Record<string, unknown>> =>
    (await failWith(error)).error.cause as never;

  it("its name, code, message and the places of its stack", async () => {
    const refused = Object.assign(new RangeError("connect ECONNREFUSED 127.0.0.1:6379"), {
      code: "ECONNREFUSED",
      errno: -111,
      port: 6379,
    });
    const { name, message, code, errno, port, stack } = await cause(refused);
    expect({ name, message, code, errno, port }).toEqual({
      name: "RangeError",
      message: refused.message,
      code: "ECONNREFUSED",
      errno: -111,
      port: 6379,
    });
    expect(stack).toBe(refused.stack);
  });

  it.each([
    ["READONLY You can't write against a read only replica.", "READONLY You can't write against a read only replica."],
    ["Table 'shop.fastsession_sessions' doesn't exist", "Table …"],
    ["ERR unknown command 'evalsha', with args beginning with: 'x'", "ERR unknown command …"],
  ])("what a message says before it quotes: %s", async (message, kept) => {
    expect((await cause(new Error(message))).message).toBe(kept);
  });

  it("nothing of a message that PostgreSQL or a trigger makes of values, but its class", async () => {
    for (const facts of [{ code: "22003" }, { code: "P0001" }, { errno: 1644, sqlState: "45000" }]) {
      const { message } = await cause(Object.assign(new Error("value planted here"), facts));
      expect(message).toMatch(/^SQLSTATE (22003|P0001|45000), whose message may hold values$/);
    }
  });

  it("the reasons of a connection that failed at several addresses", async () => {
    const { errors } = await cause(new AggregateError([new Error("connect ECONNREFUSED ::1:5432")]));
    expect((errors as Error[]).map(({ message }) => message)).toEqual(["connect ECONNREFUSED ::1:5432"]);
  });
});

it("our own errors stay what they are, and say why a session ended", async () => {
  const own = new FastSessionError("ERR_SESSION_STORE_FULL", "no room");
  const { error, told } = await failWith(own);
  expect([error, told]).toEqual([own, [own]]);
  const sessions = createSessions({ secretKey: "a secret of more than thirty-two bytes", store: new MemoryStore() });
  const { result } = await new Browser(sessions).visit(async (session) => {
    await session.login("ann");
    const { signal } = session.info as unknown as { signal: AbortSignal };
    await session.logout();
    return signal;
  });
  expect((result.reason as Error).cause).toBe("revoked");
});
