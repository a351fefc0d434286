/** The servers behind a fleet, and what stands in them when the stores are not asked. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { createConnection } from "mysql2/promise";
import pg from "pg";
import { openFile } from "../../src/stores/sqlite-driver.ts";
import type { BackendName } from "./fleet-stores.ts";
import { startMariadb } from "./mariadb-server.ts";
import { startPostgres } from "./postgres-server.ts";
import { RedisServer } from "./redis-server.ts";

/** A full scan. */
export interface Scan {
  /** Each record's public name, user and deadline, of those that no revocation ended. */
  readonly records: readonly { readonly handle: string; readonly userId: string | null; readonly expiresAt: number }[];
  /** What belongs to no record, and records that lack what every one has. */
  readonly torn: readonly unknown[];
}

export interface Backend {
  readonly address: string;
  /** Kills the server under what it is doing, and starts it again. A file has none. */
  readonly crash?: () => Promise<void>;
  /** Has the server's own expiry do what it will have done by then. */
  readonly expire?: (now: number) => Promise<void>;
  scan(): Promise<Scan>;
  stop(): Promise<void>;
}

export async function startBackend(name: BackendName): Promise<Backend> {
  switch (name) {
    case "SQLite": {
      const folder = await mkdtemp(join(tmpdir(), "fastsession-fleet-"));
      const address = join(folder, "sessions.sqlite");
      return { address, scan: () => scanSqlite(address), stop: () => rm(folder, { recursive: true, force: true }) };
    }
    case "Redis": {
      // What was acknowledged is in the file then, though perhaps not on the disk.
      const server = await RedisServer.start({ appendonly: "yes" });
      const crash = (): Promise<void> => server.kill().then(() => server.start());
      return {
        address: server.url,
        crash,
        expire: (now) => expireRedis(server.url, now),
        scan: () => scanRedis(server.url),
        stop: () => server.stop(),
      };
    }
    case "PostgreSQL": {
      const server = await startPostgres({ synchronous_commit: "on" });
      return {
        address: server.url,
        crash: crashOf(server),
        scan: () => scanPostgres(server.url),
        stop: () => server.stop(),
      };
    }
    case "MariaDB": {
      const server = await startMariadb();
      return {
        address: server.url,
        crash: crashOf(server),
        scan: () => scanMariadb(server.url),
        stop: () => server.stop(),
      };
    }
  }
}

function crashOf(server: { kill(): Promise<void>; restart(): Promise<void> }): () => Promise<void> {
  return async () => {
    await server.kill();
    await server.restart();
  };
}

/** Sessions that no revocation ended. */
const LIVE = `from fastsession_sessions s where s.kind = 'session'
  and not exists (select 1 from fastsession_users u where u.user_id = s.user_id and u.generation > s.generation)`;
const INCOMPLETE = `select id from fastsession_sessions where kind = 'session' and (created_at is null
  or last_used_at is null or rotated_at is null or handle is null or version < 1
  or (user_id is null) <> (bound_at is null) or (user_id is null) <> (generation is null))`;
const ORPHANS = `select f.session from fastsession_fields f left join fastsession_sessions s on s.id = f.session
  where s.id is null or s.kind <> 'session'`;

async function scanSqlite(path: string): Promise<Scan> {
  const db = openFile(path);
  const all = (sql: string): unknown[] => db.prepare(sql).all();
  try {
    const records = all(
      `select s.handle as handle, s.user_id as userId, s.expires_at as expiresAt ${LIVE}`,
    ) as Scan["records"];
    const torn = [...all(INCOMPLETE), ...all(ORPHANS)];
    const [check] = all("pragma integrity_check") as { integrity_check: string }[];
    if (check?.integrity_check !== "ok") torn.push(check);
    return { records, torn };
  } finally {
    db.close();
  }
}

async function scanPostgres(url: string): Promise<Scan> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    const { rows } = await client.query(
      `select s.handle as handle, s.user_id as "userId", s.expires_at::float8 as "expiresAt" ${LIVE}`,
    );
    const torn = [await client.query(INCOMPLETE), await client.query(ORPHANS)].flatMap(
      (result) => result.rows as unknown[],
    );
    return { records: rows as Scan["records"], torn };
  } finally {
    await client.end();
  }
}

async function scanMariadb(url: string): Promise<Scan> {
  const connection = await createConnection(url);
  try {
    const [rows] = await connection.query(
      `select s.handle as handle, convert(s.user_id using utf8mb4) as userId, s.expires_at as expiresAt ${LIVE}`,
    );
    const [torn] = await connection.query(
      `${INCOMPLETE} union all select id from fastsession_sessions where not json_valid(fields) or kind <> 'session' and fields <> '{}'`,
    );
    return { records: rows as unknown as Scan["records"], torn: torn as unknown[] };
  } finally {
    await connection.end();
  }
}

/** Letters as in `redis-lua.ts`. */
export async function scanRedis(url: string): Promise<Scan> {
  const redis = new Redis(url);
  const records: { handle: string; userId: string | null; expiresAt: number }[] = [];
  const torn: unknown[] = [];
  try {
    for (const key of await redis.keys("fs:{*}:s:*")) {
      const { a, b, c, e, g, h, l, r, t, u, v } = await redis.hgetall(key);
      if ((await redis.ttl(key)) < 0) torn.push(`${key} never expires`);
      if (a !== undefined || t !== undefined) continue;
      const missing = [c, e, h, l, r, v, ...(u === undefined ? [] : [b])].includes(undefined);
      if (missing) torn.push(key);
      const generation = u === undefined ? null : await redis.get(`fs:{${u.slice(0, 3)}}:g:${u.slice(3)}`);
      if (Number(generation ?? 0) > Number(g ?? 0)) continue;
      records.push({ handle: h as string, userId: u?.slice(3) ?? null, expiresAt: Number(e) });
    }
    return { records, torn };
  } finally {
    redis.disconnect();
  }
}

/** A record goes a minute after its deadline, and nobody tells the lists. */
async function expireRedis(url: string, now: number): Promise<void> {
  const redis = new Redis(url);
  try {
    for (const key of await redis.keys("fs:{*}:s:*")) {
      if (Number(await redis.hget(key, "e")) <= now - 60_000) await redis.del(key);
    }
  } finally {
    redis.disconnect();
  }
}
