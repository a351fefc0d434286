/**
 * A million visitors of whom each makes a session, on a memory store with bounds: prints what of the heap they take, for
 * `flood.processes.test.ts`.
 */
import { hashedKey, newHandle, newId } from "../../src/core/session-id.ts";
import { MemoryStore, type MemoryStoreOptions } from "../../src/stores/memory.ts";

const { gc } = globalThis as { gc?: () => void };
if (gc === undefined) throw new Error("node --expose-gc");

const [visitors, options] = process.argv.slice(2).map((text) => JSON.parse(text) as unknown) as [
  number,
  MemoryStoreOptions,
];
gc();
const before = process.memoryUsage().heapUsed;
const store = new MemoryStore(options);
let most = 0;
for (let visitor = 0; visitor < visitors; visitor += 1) {
  const now = 1_900_000_000_000 + visitor;
  const fields = { cart: JSON.stringify({ visitor, items: ["x".repeat(40)] }), theme: '"dark"' };
  const times = { createdAt: now, lastUsedAt: now, expiresAt: now + 43_200_000 };
  const record = { key: hashedKey("sid", newId()), fields, handle: newHandle(), ...times };
  void store.create(record, { operation: `${visitor}`, now });
  // Most never come back; some do, and some sign out.
  if (visitor % 3 === 0) void store.renew(record.key, { now, lastUsedAt: now, expiresAt: now + 43_200_001 });
  if (visitor % 5 === 0) void store.destroy(record.key, { now, tombstoneUntil: now + 60_000 });
  // As often as a process does it.
  if (visitor % 300_000 === 0) while (store.sweep(now, 1000) > 0);
  if (visitor % 100_000 === 99_999) {
    gc();
    most = Math.max(most, process.memoryUsage().heapUsed - before);
  }
}
console.log(JSON.stringify({ size: store.size, most }));
