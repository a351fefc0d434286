import type { OwnEndings } from "./own-endings.ts";
import type { OnClose } from "./presented.ts";
import type { SessionConfig } from "./session-config.ts";
import type { SessionIdentity } from "./session-identity.ts";
import { SessionSignals } from "./session-signals.ts";
import type { StoreNotice } from "./session-store.ts";
import { StoreFeed } from "./store-feed.ts";

/** What the store's feed is for: the signals of this process's sessions, and the event `revoked` for the fleet. */
export class Live {
  readonly #config: SessionConfig;
  readonly #signals: SessionSignals;
  readonly #feed: StoreFeed;
  /** `null`: the feed is this process's alone, which knows what it ends. */
  readonly #endings: OwnEndings | null;

  constructor(config: SessionConfig, endings: OwnEndings | null) {
    this.#config = config;
    this.#endings = endings;
    this.#signals = new SessionSignals(config);
    this.#feed = new StoreFeed(config, (notice) => this.#hear(notice));
  }

  signalOf(session: SessionIdentity, onClose: OnClose | null): AbortSignal {
    this.#feed.begin();
    return this.#signals.of(session, onClose, this.#feed.isOn);
  }

  hearFleet(): void {
    if (this.#endings === null) return;
    this.#endings.active = true;
    this.#feed.begin();
  }

  async stop(): Promise<void> {
    this.#signals.stop();
    await this.#feed.stop();
  }

  #hear(notice: StoreNotice): void {
    switch (notice.type) {
      case "revoked":
        this.#signals.revoked(notice.keys);
        if (this.#endings?.active === true) void this.#tellOthers(this.#endings, notice.keys);
        break;
      case "rotated":
        this.#signals.rotated(notice.keys);
        break;
      case "restored":
        void this.#signals.checkAll();
        break;
      default:
    }
  }

  async #tellOthers(endings: OwnEndings, keys: readonly string[]): Promise<void> {
    const count = await endings.countOthers(keys, this.#config.storeTimeout);
    if (count > 0) this.#config.events.emit("revoked", { count, remote: true });
  }
}
