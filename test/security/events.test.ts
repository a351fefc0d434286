import { describe, expect, it } from "vitest";
import { fastSession } from "../../src/adapters/fetch.ts";
import type { SessionEventName } from "../../src/core/events.ts";
import { structuredCodec } from "../../src/core/structured-codec.ts";
import { createSessions, type SessionOptions, type Sessions } from "../../src/create-sessions.ts";
import { MemoryStore } from "../../src/stores/memory.ts";
import { HostileStore } from "../../src/testing/hostile-store.ts";
import { ManualClock } from "../../src/testing/manual-clock.ts";
import { Browser } from "../support/browser.ts";

const secretKey = "a secret of these tests, which everybody can read";
const MINUTE = 60_000;

class Scene {
  readonly clock = new ManualClock();
  readonly store = new HostileStore(new MemoryStore());
  readonly told: SessionEventName[] = [];
  readonly sessions: Sessions;
  readonly browser: Browser;

  constructor(options: Partial<SessionOptions> = {}) {
    const { store, clock } = this;
    const rest = { logLevel: "silent", sweepInterval: 0 } as const;
    this.sessions = createSessions({ secretKey, store, now: clock.now, ...rest, ...options });
    this.browser = new Browser(this.sessions);
    for (const name of Object.keys(causes) as SessionEventName[]) {
      this.sessions.on(name, () => {
        this.told.push(name);
        throw new Error("a listener's own trouble");
      });
    }
  }

  /** A scene with a session that has the number 1. */
  static async of(options: Partial<SessionOptions> = {}): Promise<Scene> {
    const scene = new Scene(options);
    await scene.browser.visit((session) => session.set("n", 1));
    return scene;
  }

  /** Changes the record past the library. */
  async change(set: Record<string, string>): Promise<void> {
    const id = (this.browser.cookie as string).slice("sid=".length).split(".", 1)[0] as string;
    await this.store.commit(this.sessions.config.keyOf(id), { operation: "past", now: this.clock.now(), set });
  }
}

const positive = {
  "~standard": {
    version: 1,
    vendor: "test",
    validate: (value: unknown) => (Number(value) > 0 ? { value } : { issues: [{ message: "is not positive" }] }),
  },
} as const;

/** Each event there is: the scene, and what in it brings that event about and no other. */
const causes: { readonly [Name in SessionEventName]: () => Promise<readonly [Scene, () => unknown]> } = {
  created: async () => {
    const scene = new Scene();
    return [scene, () => scene.browser.visit((session) => session.set("n", 1))];
  },
  renewed: async () => {
    const scene = await Scene.of();
    scene.clock.advance(180 * MINUTE);
    return [scene, () => scene.browser.visit((session) => session.get("n"))];
  },
  rotated: async () => {
    const scene = await Scene.of();
    return [scene, () => scene.browser.visit((session) => session.regenerate())];
  },
  reuse: async () => {
    const scene = await Scene.of({ rotateEvery: 900 });
    const copy = new Browser(scene.sessions, scene.browser.cookie);
    scene.clock.advance(15 * MINUTE);
    await scene.browser.visit((session) => session.get("n"));
    scene.clock.advance(2 * MINUTE);
    return [scene, () => copy.visit((session) => session.get("n"))];
  },
  destroyed: async () => {
    const scene = await Scene.of();
    return [scene, () => scene.browser.visit((session) => session.destroy())];
  },
  revoked: async () => {
    const scene = await Scene.of();
    await scene.browser.visit((session) => session.login("ann"));
    return [scene, () => scene.sessions.forUser("ann").revokeAll()];
  },
  overwritten: async () => {
    const scene = await Scene.of();
    const slow = await scene.browser.start();
    slow.session.set("n", slow.session.get("n") + 1);
    await scene.browser.visit((session) => session.set("n", 5));
    return [scene, () => slow.end()];
  },
  conflict: async () => {
    const scene = await Scene.of();
    const slow = await scene.browser.start();
    slow.session.increment("n");
    await scene.browser.visit((session) => session.set("n", 5));
    return [scene, () => slow.end()];
  },
  gone: async () => {
    const scene = await Scene.of();
    const slow = await scene.browser.start();
    slow.session.set("n", 2);
    await scene.browser.visit((session) => session.destroy());
    return [scene, () => slow.end()];
  },
  corrupt: async () => {
    const scene = await Scene.of();
    await scene.change({ n: "{torn" });
    return [scene, () => scene.browser.visit((session) => session.get("n"))];
  },
  newer: async () => {
    const scene = await Scene.of({ codec: structuredCodec });
    await scene.change({ n: '{"$of-a-later-version":1}' });
    return [scene, () => scene.browser.visit((session) => session.get("n")).catch(() => undefined)];
  },
  invalid: async () => {
    const scene = await Scene.of({ schema: { n: positive } });
    await scene.change({ n: "-1" });
    return [scene, () => scene.browser.visit((session) => session.get("n"))];
  },
  refused: async () => {
    const scene = new Scene();
    const forger = new Browser(scene.sessions, "sid=forged");
    return [scene, () => forger.visit((session) => [session.get("n"), session.info.cause])];
  },
  csrf: async () => {
    const scene = new Scene({ csrf: true });
    const handle = fastSession(scene.sessions)(() => new Response());
    const headers = { "sec-fetch-site": "cross-site" };
    return [scene, () => handle(new Request("https://shop.example/", { method: "POST", headers }))];
  },
  "store-error": async () => {
    const scene = await Scene.of();
    scene.store.fail("load");
    return [scene, () => scene.browser.visit((session) => session.get("n")).catch(() => undefined)];
  },
};

/** An id that comes too late is a refused cookie, too. */
const beside: Partial<Record<string, readonly SessionEventName[]>> = { reuse: ["refused"] };

describe("the event", () => {
  it.each(Object.entries(causes))(
    "%s comes once, and no other, and a listener that throws breaks nothing",
    async (name, make) => {
      const [{ told, store, sessions }, act] = await make();
      told.length = 0;
      await act();
      expect(told).toEqual([...(beside[name] ?? []), name]);
      store.heal();
      const { lines } = await new Browser(sessions).visit((session) => session.set("after", 1));
      expect(lines).toHaveLength(1);
    },
  );
});
