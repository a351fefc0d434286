/**
 * What requests notice of a million expired sessions being swept: `npm run bench:sweep`, the numbers of docs/sizing.md.
 *
 * A visitor loads a session and commits a change, over and over, first alone and then beside the sweep.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import Database from "libsql";
import { createPool } from "mysql2/promise";
import pg from "pg";
import { hashedKey, newHandle, newId, newOperation } from "../src/core/session-id.ts";
import { createSessions } from "../src/create-sessions.ts";
import { MysqlStore } from "../src/stores/mysql.ts";
import { PostgresStore } from "../src/stores/postgres.ts";
import { SqliteStore } from "../src/stores/sqlite.ts";
import { startMariadb } from "../test/support/mariadb-server.ts";
import { startPostgres } from "../test/support/postgres-server.ts";

const COUNT = Number(process.env["SESSIONS"] ?? 1_000_000);
const ALONE = 4000;
const now = Date.now();

/** Expired one after the other during the last hour. */
const HEAD = "key, expires_at, kind, version, created_at, last_used_at, rotated_at, handle";
const row = (key, number, handle) =>
  `${key}, ${now} - 1 - ${number} % 3600000, 'session', 1, ${now}, ${now}, ${now}, ${handle}`;
const FIELDS = [
  ["user", '"ann"'],
  ["cart", "[1,2,3]"],
];

function spread(times) {
  times.sort((one, other) => one - other);
  const at = (part) => times[Math.min(times.length - 1, Math.floor(times.length * part))].toFixed(1);
  return `p50 ${at(0.5)}, p99 ${at(0.99)}, p99.9 ${at(0.999)}, longest ${at(1)} ms of ${times.length}`;
}

/** Sweeps and visits as an application does: through one store, or those of several processes. */
async function measure(name, visited, sweeping = visited) {
  const sessions = createSessions({
    secretKey: "only-for-the-benchmark-0123456789abcdef",
    store: sweeping,
    sweepInterval: 0,
    storeTimeout: 60,
  });
  const key = hashedKey("sid", newId());
  const change = (set) => ({ operation: newOperation(), now, set });
  const instants = { createdAt: now, lastUsedAt: now, expiresAt: now + 86_400_000 };
  await visited.create({ key, fields: { n: "0" }, handle: newHandle(), ...instants }, change());
  const visit = async (times) => {
    const start = performance.now();
    await visited.load(key, now);
    await visited.commit(key, change({ n: String(times.length) }));
    times.push(performance.now() - start);
    // A local store answers at once: others have their turn all the same.
    await new Promise((resolve) => setImmediate(resolve));
  };
  const alone = [];
  while (alone.length < ALONE) await visit(alone);
  const beside = [];
  const sweep = { removed: 0, under: true };
  const start = performance.now();
  const swept = sessions.gc().then((count) => Object.assign(sweep, { removed: count, under: false }));
  let last = performance.now();
  const gaps = [];
  while (sweep.under) {
    await visit(beside);
    gaps.push(performance.now() - last);
    last = performance.now();
  }
  await swept;
  const seconds = (performance.now() - start) / 1000;
  console.log(`\n${name}: ${sweep.removed} swept in ${seconds.toFixed(1)} s`);
  console.log(`  load and commit alone:      ${spread(alone)}`);
  console.log(`  load and commit beside it:  ${spread(beside)}`);
  console.log(`  from one visit to the next: ${spread(gaps)}`);
}

console.log(`${cpus()[0]?.model}, Node.js ${process.version}, ${COUNT} expired sessions`);

{
  const folder = mkdtempSync(join(tmpdir(), "fastsession-sweep-"));
  const file = join(folder, "sessions.sqlite");
  const store = new SqliteStore(file);
  store.load("v1.abc.none", now); // makes the tables
  const db = new Database(file);
  db.exec(`with recursive n(i) as (select 1 union all select i + 1 from n where i < ${COUNT})
    insert into fastsession_sessions (${HEAD}) select ${row("'v1.abc.' || hex(randomblob(20)) || i", "i", "hex(randomblob(8))")} from n`);
  for (const [name, text] of FIELDS) {
    db.exec(`insert into fastsession_fields select id, '${name}', '${text}' from fastsession_sessions`);
  }
  db.close();
  await measure("SQLite", store);
  await store.close();
  rmSync(folder, { recursive: true });
}

{
  const server = await startPostgres({ shared_buffers: "256MB" });
  const pools = [1, 2].map(() => new pg.Pool({ connectionString: server.url, max: 2 }));
  const [visited, swept] = pools.map((pool) => new PostgresStore(pool));
  await visited.migrate();
  const [pool] = pools;
  await pool.query(
    `insert into fastsession_sessions (${HEAD}) select ${row("'v1.abc.' || md5(n::text) || n", "n", "substr(md5((n + 7)::text), 1, 16)")}
      from generate_series(1, ${COUNT}) n`,
  );
  for (const [name, text] of FIELDS) {
    await pool.query(`insert into fastsession_fields select id, '${name}', '${text}' from fastsession_sessions`);
  }
  await pool.query("vacuum analyze");
  await measure("PostgreSQL", visited, swept);
  await Promise.all(pools.map((one) => one.end()));
  await server.stop();
}

{
  const server = await startMariadb({ "innodb-buffer-pool-size": "512M" });
  const pools = [1, 2].map(() => createPool({ uri: server.url, connectionLimit: 2 }));
  const [visited, swept] = pools.map((pool) => new MysqlStore(pool));
  await visited.migrate();
  const fields = JSON.stringify(Object.fromEntries(FIELDS));
  await pools[0].query(
    `insert into fastsession_sessions (session_${HEAD}, fields)
      select ${row("concat('v1.abc.', md5(seq), seq)", "seq", "substr(md5(seq + 7), 1, 16)")}, '${fields}' from seq_1_to_${COUNT}`,
  );
  await measure("MariaDB", visited, swept);
  await Promise.all(pools.map((one) => one.end()));
  await server.stop();
}
