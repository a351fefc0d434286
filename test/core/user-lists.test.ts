import { describe, expect, it } from "vitest";
import { createSessions } from "../../src/create-sessions.ts";
import { MemoryStore } from "../../src/stores/memory.ts";
import { SqliteStore } from "../../src/stores/sqlite.ts";
import { HostileStore } from "../../src/testing/hostile-store.ts";
import { Browser } from "../support/browser.ts";

const stores = {
  memory: () => new MemoryStore(),
  SQLite: () => new SqliteStore(":memory:"),
  remote: () => new HostileStore(new MemoryStore(), { local: false }),
};

describe.each(Object.entries(stores))("a list of a user's sessions (%s)", (_name, store) => {
  async function start(logins: number) {
    const sessions = createSessions({
      secretKey: "a secret of more than thirty-two bytes",
      store: store(),
      logLevel: "silent",
    });
    const failed: unknown[] = [];
    sessions.on("store-error", (event) => failed.push(event));
    for (let login = 0; login < logins; login += 1)
      await new Browser(sessions).visit((session) => session.login("ann"));
    return { list: sessions.forUser("ann").list, failed };
  }

  it("comes in pages, each behind the one before", async () => {
    const { list } = await start(3);
    const first = await list({ limit: 2 });
    const second = await list({ limit: 2, after: first.after });
    expect([first.sessions.length, second.sessions.length, second.after]).toEqual([2, 1, null]);
    expect(new Set([...first.sessions, ...second.sessions].map(({ handle }) => handle)).size).toBe(3);
  });

  it.each(["", "2", "x", "1 2", "1.2", "-1~1", "1~", "1~'", "1~1~1", `1~${"1".repeat(129)}`, 7, {}, ["1~1"]])(
    "refuses %j as a place to go on from, which is the caller's mistake and not the store's",
    async (after) => {
      const { list, failed } = await start(1);
      const error: unknown = await list({ after: after as string }).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(TypeError);
      expect((error as TypeError).message).toMatch(/what the page before answered/);
      expect(failed).toEqual([]);
    },
  );

  it("goes on from somewhere where a browser made a place up", async () => {
    const { list, failed } = await start(2);
    for (const after of ["0~0", "0~x", "9999999999999999~1", "0.5~v1.abc._-"]) {
      expect((await list({ after })).after).toBeNull();
    }
    expect(failed).toEqual([]);
  });

  it("refuses a limit that is no number", async () => {
    const { list } = await start(0);
    for (const limit of [Number.NaN, "10", null]) {
      await expect(list({ limit: limit as number })).rejects.toThrow(TypeError);
    }
    expect(await list({ limit: Infinity })).toEqual({ sessions: [], after: null });
  });
});

describe.each(Object.entries(stores))("a session that is ended by its public name (%s)", (_name, store) => {
  it("is nobody's where a form sent no name, or something else than a text", async () => {
    const hostile = new HostileStore(store());
    const sessions = createSessions({ secretKey: "a secret of more than thirty-two bytes", store: hostile });
    await new Browser(sessions).visit((session) => session.login("ann"));
    hostile.takeCalls();
    for (const handle of [undefined, null, 7, {}, ["x"]] as unknown[]) {
      expect(await sessions.revoke(handle as string)).toBe(false);
      expect(await sessions.forUser("ann").revoke(handle as string)).toBe(false);
    }
    expect(hostile.takeCalls()).toEqual([]);
  });
});
