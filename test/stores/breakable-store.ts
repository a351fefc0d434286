import type { Fields, Key, NewSession, StoredSession } from "../../src/core/session-record.ts";
import type { SessionStore } from "../../src/core/session-store.ts";
import { MemoryStore } from "../../src/stores/memory.ts";

export type CreateOptions = Parameters<MemoryStore["create"]>[1];
export type RenewAt = Parameters<MemoryStore["renew"]>[1];
export type Rotate = Parameters<MemoryStore["rotate"]>;
export type DestroyAt = Parameters<MemoryStore["destroy"]>[1];
export type Page = Parameters<MemoryStore["listByUser"]>[1];

export const HOUR = 3_600_000;

/** A memory store with what the faults below are made of. */
export class Breakable extends MemoryStore {
  record(key: Key): StoredSession | null {
    const found = super.load(key, 0);
    return found?.kind === "session" ? found : null;
  }

  /** Creates under any key, also one that is not free. */
  force(session: NewSession, now: number): void {
    super.sweep(Infinity, Infinity);
    super.create(session, { operation: "forced", now });
  }

  revive(key: Key, fields: Fields, now: number): void {
    this.force({ key, fields, createdAt: now, lastUsedAt: now, expiresAt: now + HOUR, handle: "revived" }, now);
  }
}

export function mapped(fields: Fields, alter: (text: string) => string): Fields {
  return Object.fromEntries(Object.entries(fields).map(([name, text]) => [name, alter(text)]));
}

export function normalised(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text));
  } catch {
    return text;
  }
}

export interface Fault {
  /** What the store does wrong. */
  readonly fault: string;
  readonly create: () => SessionStore;
  /** The promise whose test has to fail. */
  readonly breaks: string;
}
