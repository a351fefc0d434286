/**
 * A process of its own with a store on a shared server, for `postgres-fleet.processes.test.ts`: does what its argument
 * names when the parent says so, and sends what came of it.
 */
import { newHandle, newOperation } from "../../src/core/session-id.ts";
import { PostgresStore } from "../../src/stores/postgres.ts";
import { bindTo, change, create, HOUR, increment, newKey, NOW, openPool } from "./postgres-scene.ts";

const [url = "", task = "", name = "", ...keys] = process.argv.slice(2);
const pool = openPool(url, { max: 8, application_name: "child" });
const store = new PostgresStore(pool);

function send(message: unknown): Promise<void> {
  return new Promise((resolve) => process.send?.(message, () => resolve()));
}

/** Counts 500 in a field of all and sets 500 of its own, over the sessions, eight at a time. */
async function count(): Promise<void> {
  const keyOf = (n: number): string => keys[n % keys.length] as string;
  const lane = async (first: number): Promise<void> => {
    for (let n = first; n < 500; n += 8) {
      await increment(store, keyOf(n), "n");
      await store.commit(keyOf(n), change({ set: { [`${name}${n}`]: "1" } }));
    }
  };
  await Promise.all(Array.from({ length: 8 }, (_, first) => lane(first)));
  await send("counted");
}

/** Logs users in, moves, changes and ends their sessions until it is killed, and tells of each login. */
async function churn(): Promise<void> {
  const users = ["ann", "bob", "cid"];
  const tombstoneUntil = NOW + HOUR;
  const lane = async (user: string): Promise<never> => {
    const cap = { max: 4, policy: "evict-oldest", tombstoneUntil } as const;
    for (let n = 0; ; n += 1) {
      const { key } = await create(store, { fields: { a: "1", b: "2" } });
      const next = newKey();
      const leave = { kind: "alias", to: next, sealedId: newHandle(), expiresAt: tombstoneUntil } as const;
      const moved = change({ set: { a: "2", b: "3" } });
      await store.rotate(key, next, moved, { leave, bind: bindTo(user, { cap }) });
      await store.commit(key, change({ clear: true, set: { c: newOperation() } }));
      if (n % 3 === 0) await store.destroy(key, { now: NOW, tombstoneUntil });
      if (n % 20 === 19) await store.revokeUser(user, { now: NOW, tombstoneUntil });
      await send(n);
    }
  };
  await Promise.all([...users, ...users].map(lane));
}

async function run(): Promise<void> {
  await (task === "count" ? count() : churn());
  await pool.end();
  process.disconnect();
}

process.once("message", () => void run());
void send("ready");
