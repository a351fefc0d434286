import { checkNames } from "../core/check-option.ts";
import type { Milliseconds } from "../core/units.ts";
import type { SqliteDatabase } from "./sqlite-driver.ts";

export const BUSY_TIMEOUT: Milliseconds = 20;
export const BUSY_DEADLINE: Milliseconds = 1500;

export interface SqliteStoreOptions {
  /**
   * What an acknowledged write survives: `"normal"` a crash of the process, `"full"` a power cut too, at the price of
   * a disk flush for each write.
   *
   * @defaultValue `"normal"`; a connection that was handed over stays as it is
   */
  readonly durability?: "normal" | "full";
  /**
   * How long a verb may block the process while another connection writes. After that it waits without blocking.
   *
   * @defaultValue 20; a connection that was handed over stays as it is
   */
  readonly busyTimeout?: Milliseconds;
  /**
   * How long a verb waits in all before it fails. Less than `storeTimeout`, so that the answer is "it did not happen"
   * and not "unknown".
   *
   * @defaultValue 1500
   */
  readonly busyDeadline?: Milliseconds;
}

const OPTIONS = { durability: true, busyTimeout: true, busyDeadline: true } as const;

export function checkArguments(source: string | SqliteDatabase, options: SqliteStoreOptions): void {
  const isDatabase = typeof source === "object" && source !== null && typeof source.prepare === "function";
  if (!isDatabase && (typeof source !== "string" || source === "")) {
    throw new TypeError("SqliteStore takes the path of a file, or a connection with prepare() and exec()");
  }
  checkNames("SqliteStore", options, OPTIONS);
  const { durability, busyTimeout, busyDeadline } = options;
  if (durability !== undefined && durability !== "normal" && durability !== "full") {
    throw new TypeError('durability is "normal" or "full"');
  }
  for (const [name, value] of Object.entries({ busyTimeout, busyDeadline })) {
    if (value !== undefined && !(Number.isInteger(value) && value >= 0)) {
      throw new TypeError(`${name} is a whole number of milliseconds`);
    }
  }
}
