/**
 * A storage of `unstorage` as a `SessionStore`, over any of its drivers.
 *
 * A record is `{ record: <its JSON> }` under its key, with `{ ttl: <seconds> }` for the drivers that know it. It is called
 * with `getItem`, `setItem` and `removeItem`; which verb calls what stands in `simple-foreign.ts`.
 *
 * Not for several processes that write the same session at once, nor where a user's sessions are listed or ended: use
 * a store of this library there.
 */
import { checkNames, flag } from "../core/check-option.ts";
import {
  checkMethods,
  FOREIGN_OPTIONS,
  type ForeignStore,
  type ForeignStoreOptions,
  fromForeign,
} from "./simple-foreign.ts";

export type { ForeignCapabilities, ForeignStore, ForeignStoreOptions } from "./simple-foreign.ts";

/** What is called of a storage. */
export interface UnstorageStorage {
  getItem(key: string): Promise<unknown>;
  setItem(key: string, value: never, options: { readonly ttl: number }): Promise<unknown>;
  removeItem(key: string): Promise<unknown>;
  getKeys(): Promise<readonly string[]>;
}

/** Options of {@link fromUnstorage}. */
export interface UnstorageOptions extends ForeignStoreOptions {
  /**
   * Looks through all keys for expired sessions, every `sweepInterval`: for drivers that know no `ttl`, as `memory` and
   * `fs`. The storage, or its `prefixStorage`, should then hold nothing else.
   *
   * @defaultValue false
   */
  readonly sweep?: boolean;
}

/**
 * Drives a storage of `unstorage`. What it cannot promise is in `capabilities` and logged at start.
 *
 * @throws TypeError for something else than a storage
 * @example
 * const store = fromUnstorage(prefixStorage(useStorage(), "sessions"));
 */
export function fromUnstorage(storage: UnstorageStorage, options: UnstorageOptions = {}): ForeignStore {
  checkMethods(storage, ["getItem", "setItem", "removeItem", "getKeys"], "a storage of unstorage");
  checkNames("fromUnstorage", options, { ...FOREIGN_OPTIONS, sweep: true });
  const sweep = flag(options, "sweep");
  return fromForeign(
    {
      async get(key) {
        const item = (await storage.getItem(key)) as { readonly record?: unknown } | null;
        return typeof item?.record === "string" ? JSON.parse(item.record) : null;
      },
      // A text inside of the value: what unstorage reads, it strips of names that it holds for dangerous.
      set: (key, data, timeToLive) =>
        storage.setItem(key, { record: JSON.stringify(data) } as never, { ttl: Math.ceil(timeToLive / 1000) }),
      delete: (key) => storage.removeItem(key),
      ...(sweep && { keys: () => storage.getKeys() }),
    },
    options,
  );
}
