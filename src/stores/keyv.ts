/**
 * A Keyv as a `SessionStore`, over any of its adapters.
 *
 * A record is its JSON under its key, with a time to live. It is called with `get`, `set` and `delete`; which verb calls
 * what stands in `simple-foreign.ts`.
 *
 * Not for several processes that write the same session at once, nor where a user's sessions are listed or ended: use
 * a store of this library there.
 */
import { checkNames } from "../core/check-option.ts";
import type { Milliseconds } from "../core/units.ts";
import {
  checkMethods,
  FOREIGN_OPTIONS,
  type ForeignStore,
  type ForeignStoreOptions,
  fromForeign,
} from "./simple-foreign.ts";

export type { ForeignCapabilities, ForeignStore, ForeignStoreOptions } from "./simple-foreign.ts";

/** What is called of a Keyv. */
export interface KeyvLike {
  /** Has to be true where there is such an option: else a backend that fails looks like one that is empty. */
  readonly throwOnErrors?: boolean;
  get(key: string): Promise<unknown>;
  set(key: string, value: string, timeToLive: Milliseconds): Promise<boolean>;
  delete(key: string): Promise<boolean>;
}

/**
 * Drives a Keyv. What it cannot promise is in `capabilities` and logged at start.
 *
 * @throws TypeError for something else than a Keyv, and for one without `throwOnErrors`
 * @example
 * const store = fromKeyv(new Keyv(new KeyvValkey(url), { throwOnErrors: true }));
 */
export function fromKeyv(keyv: KeyvLike, options: ForeignStoreOptions = {}): ForeignStore {
  checkMethods(keyv, ["get", "set", "delete"], "a Keyv");
  checkNames("fromKeyv", options, FOREIGN_OPTIONS);
  if (keyv.throwOnErrors === false) {
    throw new TypeError(
      "this Keyv hides the failures of its backend, which would look like sessions that are not there: make it with { throwOnErrors: true }",
    );
  }
  return fromForeign(
    {
      async get(key) {
        const text = await keyv.get(key);
        return typeof text === "string" ? JSON.parse(text) : null;
      },
      async set(key, data, timeToLive) {
        if (await keyv.set(key, JSON.stringify(data), timeToLive)) return;
        throw new Error("the Keyv's backend did not keep the record");
      },
      delete: (key) => keyv.delete(key),
    },
    options,
  );
}
