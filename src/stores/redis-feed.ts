import { FastSessionError } from "../core/errors.ts";
import type { StoreNotice } from "../core/session-store.ts";
import type { Milliseconds } from "../core/units.ts";
import type { Commander } from "./redis-client.ts";
import type { RedisConnection } from "./redis-connection.ts";

type Listener = (notice: StoreNotice) => void;

const LONGEST_PAUSE: Milliseconds = 2000;
/** How often a connection is asked whether it still is one, and how long it may take to say so. */
const CHECK: Milliseconds = 30_000;
const PATIENCE: Milliseconds = 5000;

/**
 * Notices of all processes, over one connection for all who listen. It is opened for the first of them and closed after
 * the last. Networks forget quiet connections and tell nobody, so it is asked now and then whether it still is one.
 */
export class RedisFeed {
  readonly #commander: Commander;
  readonly #channel: string;
  readonly #listeners = new Set<Listener>();
  /** Who listens or waits to. */
  #users = 0;
  #connection: Promise<RedisConnection> | null = null;
  /** Rises when the connection is given up: what it still does is nobody's concern. */
  #era = 0;

  constructor(commander: Commander, channel: string) {
    this.#commander = commander;
    this.#channel = channel;
  }

  async watch(listener: Listener): Promise<() => Promise<void>> {
    // A function of its own, so that a listener given twice is two.
    const own: Listener = (notice) => listener(notice);
    this.#users += 1;
    const era = this.#era;
    try {
      await (this.#connection ??= this.#open(era));
      if (era !== this.#era) throw new Error("the feed was closed");
    } catch (error) {
      // Who closed it has counted everybody off.
      if (era === this.#era) this.#leave();
      throw new FastSessionError("ERR_SESSION_STORE", "the feed cannot listen to Redis: see cause", { cause: error });
    }
    this.#listeners.add(own);
    return () => {
      if (this.#listeners.delete(own)) this.#leave();
      return Promise.resolve();
    };
  }

  close(): void {
    this.#listeners.clear();
    this.#users = 0;
    this.#stop();
  }

  #leave(): void {
    this.#users -= 1;
    if (this.#users <= 0) this.#stop();
  }

  #stop(): void {
    this.#era += 1;
    const connection = this.#connection;
    this.#connection = null;
    void connection?.then(
      (one) => one.close(),
      () => undefined,
    );
  }

  async #open(era: number): Promise<RedisConnection> {
    const connection = await this.#commander.connection();
    const state = { open: false, ended: false };
    const onEnd = (): void => {
      if (state.ended) return;
      state.ended = true;
      connection.close();
      if (state.open && era === this.#era) this.#lost(era);
    };
    const onMessage = (message: string): void => {
      if (era === this.#era) this.#hear(message);
    };
    try {
      await connection.open(this.#channel, onMessage, onEnd);
      if (state.ended) throw new Error("the connection broke as it was opened");
    } catch (error) {
      state.ended = true;
      connection.close();
      throw error;
    }
    state.open = true;
    const checkLater = (): void => {
      later(CHECK, () => {
        if (state.ended || era !== this.#era) return;
        const late = later(PATIENCE, onEnd);
        connection.ping().then(() => {
          clearTimeout(late);
          checkLater();
        }, onEnd);
      });
    };
    checkLater();
    return connection;
  }

  #lost(era: number): void {
    this.#tell({ type: "lost" });
    this.#connection = this.#reopen(era);
    this.#connection.catch(() => undefined);
  }

  async #reopen(era: number): Promise<RedisConnection> {
    for (let pause = 50; ; pause = Math.min(pause * 2, LONGEST_PAUSE)) {
      await new Promise<void>((resolve) => void later(pause * (0.5 + Math.random()), resolve));
      if (era !== this.#era) throw new Error("the feed was closed");
      try {
        const connection = await this.#open(era);
        if (era === this.#era) this.#tell({ type: "restored" });
        return connection;
      } catch {
        continue;
      }
    }
  }

  /** `<type> <key> <key> …`; what another version of this library publishes may be of another type. */
  #hear(message: string): void {
    const [type, ...keys] = message.split(" ");
    if (type === "revoked" || type === "rotated" || type === "changed") this.#tell({ type, keys });
  }

  /** Calls everybody. What a listener throws is dropped: the others are not to blame. */
  #tell(notice: StoreNotice): void {
    for (const listener of this.#listeners) {
      try {
        listener(notice);
      } catch {
        continue;
      }
    }
  }
}

/** A timer that keeps no process alive: nobody waits for it but listeners. */
function later(milliseconds: Milliseconds, act: () => void): ReturnType<typeof setTimeout> {
  const timer = setTimeout(act, milliseconds);
  timer.unref?.();
  return timer;
}
