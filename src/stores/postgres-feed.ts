import { FastSessionError } from "../core/errors.ts";
import type { StoreNotice } from "../core/session-store.ts";
import type { Milliseconds } from "../core/units.ts";
import type { Listen } from "./postgres-listen.ts";

/** How often the feed makes sure that it hears, and how long it waits for that at the beginning. */
const CHECK: Milliseconds = 30_000;
const PATIENCE: Milliseconds = 5_000;
const FIRST_PAUSE: Milliseconds = 50;
const LONGEST_PAUSE: Milliseconds = 5_000;

type Listener = (notice: StoreNotice) => void;

/** Word that a feed sends to itself: how else would one know that a quiet connection is no broken one. */
const ECHO = "echo";

/** Hears on one connection what all processes tell, and tells its listeners. */
export class Feed {
  readonly #listen: Listen;
  readonly #send: (payload: string) => Promise<unknown>;
  readonly #listeners = new Set<Listener>();
  readonly #name: string = Math.random().toString(36).slice(2);
  #started: Promise<void> | null = null;
  #stop: (() => Promise<unknown>) | null = null;
  #lost = false;
  #echo: (() => void) | null = null;
  #check: ReturnType<typeof setTimeout> | undefined;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #pause: Milliseconds = FIRST_PAUSE;
  /** Rises when the feed is closed: what is opening then is for nobody. */
  #era = 0;

  /** @param send notifies the channel, by any connection */
  constructor(listen: Listen, send: (payload: string) => Promise<unknown>) {
    this.#listen = listen;
    this.#send = send;
  }

  /** @throws FastSessionError `ERR_SESSION_STORE` when nothing is heard there */
  async watch(listener: Listener): Promise<() => Promise<void>> {
    // A function of its own, so that a listener given twice is two.
    const own: Listener = (notice) => listener(notice);
    this.#listeners.add(own);
    try {
      await (this.#started ??= this.#open());
    } catch (error) {
      // Unless it was closed meanwhile, and perhaps opened again by others.
      if (this.#listeners.delete(own)) {
        this.#started = null;
        if (this.#listeners.size === 0) await this.close();
      }
      throw error;
    }
    // It has listened, and does not at this moment: who comes now hears what the others have heard.
    if (this.#lost) tell(own, { type: "lost" });
    return async () => {
      if (this.#listeners.delete(own) && this.#listeners.size === 0) await this.close();
    };
  }

  async close(): Promise<void> {
    this.#era += 1;
    this.#listeners.clear();
    this.#started = null;
    this.#lost = false;
    clearTimeout(this.#check);
    clearTimeout(this.#retry);
    await this.#end();
  }

  async #open(): Promise<void> {
    let open = true;
    const era = this.#era;
    const stop = await this.#listen({
      hear: (payload) => open && this.#hear(payload),
      lost: () => open && this.#lose(),
      gap: () => {
        if (!open || this.#lost) return;
        this.#tell({ type: "lost" });
        this.#tell({ type: "restored" });
      },
    });
    if (era !== this.#era) {
      open = false;
      await stop().catch(() => undefined);
      throw new FastSessionError("ERR_SESSION_STORE", "the feed was closed while it was opened");
    }
    this.#stop = async () => {
      open = false;
      await stop();
    };
    try {
      if (!(await this.#hears())) {
        throw new FastSessionError(
          "ERR_SESSION_STORE",
          "nothing is heard on the connection that listens: is there a pooler in transaction mode? Give `listen` a direct connection",
        );
      }
    } catch (error) {
      await this.#end();
      throw error;
    }
    this.#checkLater();
  }

  #end(): Promise<unknown> {
    const stop = this.#stop;
    this.#stop = null;
    // A connection that is broken may fail to say goodbye.
    return stop === null ? Promise.resolve() : stop().catch(() => undefined);
  }

  /** Whether a word sent comes back in time. @throws when it cannot be sent, which says nothing about hearing */
  async #hears(): Promise<boolean> {
    let heard = false;
    let wake: (() => void) | undefined;
    this.#echo = () => {
      heard = true;
      wake?.();
    };
    await this.#send(`${ECHO} ${this.#name}`);
    if (heard) return true;
    // From here on: a pool that gives no connection for a while is no feed that hears nothing.
    return new Promise<boolean>((resolve) => {
      const timer = setTimeout(() => resolve(false), PATIENCE);
      wake = () => {
        clearTimeout(timer);
        resolve(true);
      };
    });
  }

  #checkLater(): void {
    clearTimeout(this.#check);
    this.#check = setTimeout(() => {
      const stop = this.#stop;
      this.#hears().then(
        (heard) => {
          if (this.#stop !== stop) return;
          if (heard) this.#checkLater();
          else this.#lose();
        },
        () => this.#checkLater(),
      );
    }, CHECK);
    // Some runtimes' timers are numbers.
    (this.#check as { unref?(): void }).unref?.();
  }

  #hear(payload: string): void {
    const [type, ...keys] = payload.split(" ");
    if (type === ECHO) {
      if (keys[0] === this.#name) this.#echo?.();
    } else if (type === "revoked" || type === "rotated" || type === "changed") {
      this.#tell({ type, keys });
    }
  }

  #lose(): void {
    void this.#end();
    clearTimeout(this.#check);
    if (this.#started === null) return;
    if (!this.#lost) this.#tell({ type: "lost" });
    this.#lost = true;
    this.#reopenLater();
  }

  #reopenLater(): void {
    clearTimeout(this.#retry);
    const pause = this.#pause * (0.5 + Math.random());
    this.#pause = Math.min(this.#pause * 2, LONGEST_PAUSE);
    this.#retry = setTimeout(() => {
      const started = this.#started;
      this.#open().then(
        () => {
          // Closed meanwhile.
          if (this.#started !== started || !this.#lost) return void this.#end();
          this.#lost = false;
          this.#pause = FIRST_PAUSE;
          this.#tell({ type: "restored" });
        },
        () => {
          if (this.#started === started && this.#lost) this.#reopenLater();
        },
      );
    }, pause);
    (this.#retry as { unref?(): void }).unref?.();
  }

  #tell(notice: StoreNotice): void {
    for (const listener of this.#listeners) tell(listener, notice);
  }
}

/** What a listener throws is dropped: there is nobody to whom it belongs. */
function tell(listener: Listener, notice: StoreNotice): void {
  try {
    listener(notice);
  } catch {
    return;
  }
}
