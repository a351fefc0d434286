/**
 * A process of its own with a store on a shared file, for `sqlite.processes.test.ts`: does what its argument names when
 * the parent says so, and sends what came of it.
 */
import { once } from "node:events";
import type { StoredSession } from "../../src/core/session-record.ts";
import { SqliteStore } from "../../src/stores/sqlite.ts";

const [path = "", task = "", name = ""] = process.argv.slice(2);
const store = new SqliteStore(path);
const NOW = Date.UTC(2030, 0, 1);

function load(): StoredSession {
  const found = store.load("k", NOW);
  if (found?.kind !== "session") throw new Error(`the record is ${found?.kind ?? "absent"}`);
  return found;
}

function send(message: unknown): Promise<void> {
  return new Promise((resolve) => process.send?.(message, () => resolve()));
}

/** Makes the record or finds it made; then counts to 50 in a field of all and sets 50 of its own. */
async function count(): Promise<void> {
  const times = { createdAt: NOW, lastUsedAt: NOW, expiresAt: NOW + 1_000_000 };
  const record = { key: "k", fields: { counter: "0" }, handle: "h", ...times };
  const created = await store.create(record, { operation: name, now: NOW });
  let conflicts = 0;
  for (let n = 0; n < 50; n += 1) {
    for (let text = load().fields["counter"] as string; ;) {
      const change = { expect: { counter: text }, set: { counter: String(Number(text) + 1) } };
      const answer = await store.commit("k", { operation: `${name}${n}`, now: NOW, ...change });
      if (answer.ok) break;
      if (answer.reason !== "conflict") throw new Error(answer.reason);
      conflicts += 1;
      text = answer.current["counter"] as string;
    }
    await store.commit("k", { operation: `${name}own${n}`, now: NOW, set: { [`${name}${n}`]: "1" } });
  }
  await store.close();
  await send({ created: created.ok, conflicts });
}

/** Writes two fields at a time until it is killed, and says so after each. */
async function write(): Promise<never> {
  for (let n = 1; ; n += 1) {
    await store.commit("k", { operation: `${n}`, now: NOW, clear: true, set: { a: `${n}`, b: "x".repeat(9000) + n } });
    await send(n);
  }
}

/** What a failure says. */
function textOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? `${String(error.code)}: ${error.message}` : error;
}

/** Writes until the system lets it write no more, reads; and writes again when the parent has made space. */
async function fill(): Promise<void> {
  let acknowledged = 0;
  let failure: unknown;
  const set = (n: number) => ({ a: `${n}`, b: "x".repeat(50_000) + n });
  while (failure === undefined) {
    try {
      await store.commit("k", { operation: `${acknowledged}`, now: NOW, set: set(acknowledged + 1) });
      acknowledged += 1;
    } catch (error) {
      failure = textOf(error);
    }
  }
  const space = once(process, "message");
  await send({ acknowledged, failure, read: load().fields["a"] });
  await space;
  await store.commit("k", { operation: "again", now: NOW, set: set(acknowledged + 1) });
  await send(load().fields["a"]);
}

/** Reads and writes a file that it may only read. */
async function read(): Promise<void> {
  let failure: unknown;
  try {
    await store.commit("k", { operation: "o", now: NOW, set: { a: "1" } });
  } catch (error) {
    failure = textOf(error);
  }
  const { fields } = load();
  await store.close();
  await send({ fields, failure });
}

process.once("message", () => {
  const run = { count, write, read, fill }[task];
  if (run === undefined) throw new Error(`no task ${task}`);
  void run().finally(() => process.disconnect());
});
void send("ready");
