/**
 * What a session takes in each server, and what a verb costs the server's processor: the numbers of docs/sizing.md.
 * `npm run bench:sizing`. Linux alone: processor times are read from /proc.
 */
import { readdirSync, readFileSync } from "node:fs";
import { cpus } from "node:os";
import { Redis } from "ioredis";
import { createPool } from "mysql2/promise";
import pg from "pg";
import { hashedKey, newHandle, newId, newOperation, userTag } from "../src/core/session-id.ts";
import { MysqlStore } from "../src/stores/mysql.ts";
import { PostgresStore } from "../src/stores/postgres.ts";
import { RedisStore } from "../src/stores/redis.ts";
import { startMariadb } from "../test/support/mariadb-server.ts";
import { startPostgres } from "../test/support/postgres-server.ts";
import { RedisServer } from "../test/support/redis-server.ts";

const COUNT = Number(process.env["SESSIONS"] ?? 20_000);
const AT_ONCE = 16;
const DAY = 86_400_000;
const AGENT =
  "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36";

/** Five small fields, 80 bytes of text. */
const FIELDS = {
  theme: '"dark"',
  locale: '"en-GB"',
  visits: "12",
  cart: '["sku-7","sku-9","sku-11"]',
  seen: '"2026-11-24T09:30:00.000Z"',
};

const now = Date.now();
const change = () => ({ operation: newOperation(), now });
const keyFor = (userId) => hashedKey("sid", newId(userId === undefined ? undefined : userTag(userId)));

/** A server's processes: the one that was told the port, and its children. In clock ticks of 10 ms. */
function processorTime(program, port) {
  const all = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
        const name = stat.slice(stat.indexOf("(") + 1, stat.lastIndexOf(")"));
        const rest = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
        return [
          {
            pid,
            name,
            parent: rest[1],
            ticks: Number(rest[11]) + Number(rest[12]),
            command: readFileSync(`/proc/${pid}/cmdline`, "utf8"),
          },
        ];
      } catch {
        return []; // it has ended
      }
    });
  const server = all.find((one) => one.name === program && one.command.includes(String(port)));
  return (
    all
      .filter(({ pid, parent }) => pid === server.pid || parent === server.pid)
      .reduce((sum, { ticks }) => sum + ticks, 0) * 10_000
  );
}

/** Runs `call` for each item, `AT_ONCE` at a time. */
async function each(items, call) {
  let next = 0;
  const worker = async () => {
    while (next < items.length) await call(items[next++]);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

async function measure(name, { store, bytes, cpu, settle }) {
  const sizes = {};
  const micros = {};
  const timed = async (verb, items, call) => {
    const before = cpu();
    await each(items, call);
    micros[verb] = Number(((cpu() - before) / items.length).toFixed(1));
  };
  const stored = async (what, userId, metadata) => {
    const sessions = Array.from({ length: COUNT }, (_, index) => {
      const user = userId?.(index);
      return {
        user,
        key: keyFor(user),
        fields: FIELDS,
        createdAt: now,
        lastUsedAt: now,
        expiresAt: now + DAY,
        handle: newHandle(),
      };
    });
    const before = await bytes();
    await timed(`create, ${what}`, sessions, ({ user, ...record }) =>
      store.create(record, {
        ...change(),
        ...(user === undefined ? {} : { bind: { userId: user, metadata, maxAge: null } }),
      }),
    );
    if (settle !== undefined) await settle();
    sizes[what] = Math.round(((await bytes()) - before) / COUNT);
    return sessions.map(({ key }) => key);
  };

  const visitors = await stored("a visitor's", undefined);
  await stored("a user's", (index) => `user-${index}`, {});
  const users = await stored("a user's with its browser's name", (index) => `named-${index}`, { agent: AGENT });
  await timed("load", visitors, (key) => store.load(key, now));
  await timed("load, a user's", users, (key) => store.load(key, now));
  await timed("commit", visitors, (key) => store.commit(key, { ...change(), set: { visits: "13" } }));
  await timed("commit, counting", visitors, (key) =>
    store.commit(key, { ...change(), expect: { visits: "13" }, set: { visits: "14" } }),
  );
  await timed("renew", visitors, (key) => store.renew(key, { now, lastUsedAt: now + 1, expiresAt: now + DAY + 1 }));
  const leave = { kind: "tombstone", reason: "rotated", expiresAt: now + DAY };
  let next = 0;
  await timed("login", visitors, (key) => {
    const userId = `visitor-${next++}`;
    const cap = { max: 5, policy: "evict-oldest", tombstoneUntil: now + DAY };
    return store.rotate(key, keyFor(userId), change(), { leave, bind: { userId, metadata: {}, maxAge: null, cap } });
  });
  await timed("logout", users, (key) => store.destroy(key, { now, tombstoneUntil: now + 60_000 }));
  console.log(`\n${name}`);
  console.table(Object.fromEntries(Object.entries(sizes).map(([what, size]) => [what, { bytes: size }])));
  console.table(Object.fromEntries(Object.entries(micros).map(([verb, µs]) => [verb, { "server CPU, µs": µs }])));
}

console.log(`${cpus()[0]?.model}, Node.js ${process.version}, ${COUNT} sessions, ${AT_ONCE} calls at once`);

for (const packed of ["64", "512"]) {
  const server = await RedisServer.start({ "hash-max-listpack-value": packed, appendonly: "yes" });
  const client = new Redis(server.url, { enableAutoPipelining: true });
  const bytes = async () => Number(/used_memory:(\d+)/.exec(await client.info("memory"))?.[1]);
  await measure(`Redis, hash-max-listpack-value ${packed}`, {
    store: new RedisStore(client),
    bytes,
    cpu: () => processorTime("redis-server", server.port),
  });
  client.disconnect();
  await server.stop();
}

{
  const server = await startPostgres({ synchronous_commit: "on", fsync: "on", full_page_writes: "on" });
  const pool = new pg.Pool({ connectionString: server.url, max: AT_ONCE });
  const store = new PostgresStore(pool);
  await store.migrate();
  const tables = ["sessions", "fields", "users"].map((table) => `pg_total_relation_size('fastsession_${table}')`);
  const bytes = async () => Number((await pool.query(`select ${tables.join(" + ")} as bytes`)).rows[0].bytes);
  await measure("PostgreSQL", { store, bytes, cpu: () => processorTime("postgres", server.port) });
  await pool.end();
  await server.stop();
}

{
  const server = await startMariadb({ "innodb-flush-log-at-trx-commit": "1", "innodb-buffer-pool-size": "256M" });
  const pool = createPool({ uri: server.url, connectionLimit: AT_ONCE });
  const store = new MysqlStore(pool);
  await store.migrate();
  const bytes = async () => {
    const [rows] = await pool.query(
      "select sum(data_length + index_length) as bytes from information_schema.tables where table_schema = database() and table_type = 'BASE TABLE'",
    );
    return Number(rows[0].bytes);
  };
  const settle = () => pool.query("analyze table fastsession_sessions, fastsession_users");
  if (settle !== undefined) await settle();
  await measure("MariaDB", { store, bytes, settle, cpu: () => processorTime("mariadbd", server.port) });
  await pool.end();
  await server.stop();
}
