import type { Milliseconds } from "../core/units.ts";
import { openFile, type OwnDatabase, resultCode, type SqliteDatabase } from "./sqlite-driver.ts";
import { BUSY_TIMEOUT, type SqliteStoreOptions } from "./sqlite-options.ts";
import { SqliteRecords } from "./sqlite-records.ts";
import { ensureSchema } from "./sqlite-schema.ts";

/** How long a start waits for other processes that start: only then, and only while the file is being made. */
const START_PATIENCE: Milliseconds = 2000;

/** Sets a new connection up. */
function configure(db: OwnDatabase, synchronous: "normal" | "full", busyTimeout: Milliseconds): void {
  db.exec(`pragma busy_timeout = ${START_PATIENCE}`);
  useWriteAheadLog(db);
  db.exec(`pragma synchronous = ${synchronous}`);
  ensureSchema(db);
  db.exec(`pragma busy_timeout = ${busyTimeout}`);
}

/** The change of journal mode does not honour `busy_timeout`: processes that start together refuse each other. */
function useWriteAheadLog(db: SqliteDatabase): void {
  const pause = new Int32Array(new SharedArrayBuffer(4));
  const deadline = performance.now() + START_PATIENCE;
  for (;;) {
    try {
      db.exec("pragma journal_mode = wal");
      return;
    } catch (error) {
      if (resultCode(error) !== "BUSY" || performance.now() > deadline) throw error;
      Atomics.wait(pause, 0, 0, 5);
    }
  }
}

export interface Opened {
  readonly db: SqliteDatabase;
  /** The connection, if the store opened it. */
  readonly own: OwnDatabase | null;
  readonly records: SqliteRecords;
}

export function open(source: string | SqliteDatabase, { durability, busyTimeout }: SqliteStoreOptions): Opened {
  if (typeof source === "object") {
    if (busyTimeout !== undefined) source.exec(`pragma busy_timeout = ${busyTimeout}`);
    if (durability !== undefined) source.exec(`pragma synchronous = ${durability}`);
    ensureSchema(source);
    return { db: source, own: null, records: new SqliteRecords(source) };
  }
  const own = openFile(source);
  try {
    configure(own, durability ?? "normal", busyTimeout ?? BUSY_TIMEOUT);
    return { db: own, own, records: new SqliteRecords(own) };
  } catch (error) {
    own.close();
    throw error;
  }
}
