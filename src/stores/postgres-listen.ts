/** How each client listens on a channel. */
import { isPglite, isPostgresJs, type PostgresClient, type PostgresJsClient } from "./postgres-client.ts";

/** What the store calls of a `Client` of `pg` that is not connected yet. */
export interface PgListenClient {
  connect(): Promise<unknown>;
  query(text: string): Promise<unknown>;
  on(event: string, listener: (message: never) => void): unknown;
  end(): Promise<unknown>;
}

/** Where to listen. */
export type ListenSource = true | (() => PgListenClient) | PostgresJsClient;

export interface Hearing {
  readonly hear: (payload: string) => void;
  /** The connection is gone: what is told from here on is missed. */
  readonly lost: () => void;
  /** It was gone, and is there again: the client connects by itself. */
  readonly gap: () => void;
}

/** Listens until the returned function is called. Resolves when it listens. */
export type Listen = (hearing: Hearing) => Promise<() => Promise<unknown>>;

/** What a connection of `pg` tells. */
interface Notification {
  readonly channel: string;
  readonly payload?: string | undefined;
}

interface PgPool {
  readonly options?: { readonly max?: number };
  connect(): Promise<PgListenClient & { release(destroy: boolean): void }>;
}

interface PostgresJsListener {
  listen(
    channel: string,
    hear: (payload: string) => void,
    listening: () => void,
  ): Promise<{ unlisten(): Promise<unknown> }>;
}

interface PgliteListener {
  listen(channel: string, hear: (payload: string) => void): Promise<() => Promise<unknown>>;
}

function isPool(client: object): client is PgPool {
  return "connect" in client && "totalCount" in client;
}

export function isListenSource(client: PostgresClient, source: unknown): source is ListenSource {
  // Of one connection there would be none left to ask anything.
  if (source === true) return isPostgresJs(client) || isPglite(client) || (isPool(client) && client.options?.max !== 1);
  return typeof source === "function";
}

export function listenOn(client: PostgresClient, source: ListenSource, channel: string): Listen {
  const target = source === true ? client : source;
  if (isPostgresJs(target)) return byPostgresJs(target as unknown as PostgresJsListener, channel);
  if (typeof target === "function") {
    return (hearing) => byPg(async () => connected(target()), channel, hearing);
  }
  if (isPglite(target)) {
    return async ({ hear }) => (target as unknown as PgliteListener).listen(channel, hear);
  }
  return (hearing) => byPg(async () => borrowed(target as unknown as PgPool), channel, hearing);
}

/** A connection for listening alone, and how it is given up. */
interface Held {
  readonly client: PgListenClient;
  readonly end: () => Promise<unknown>;
}

async function connected(client: PgListenClient): Promise<Held> {
  // An error without a listener would end the process.
  client.on("error", () => undefined);
  await client.connect();
  return { client, end: () => client.end() };
}

async function borrowed(pool: PgPool): Promise<Held> {
  const client = await pool.connect();
  // Destroyed, not returned: nobody else should hear.
  return { client, end: async () => client.release(true) };
}

async function byPg(open: () => Promise<Held>, channel: string, hearing: Hearing): Promise<() => Promise<unknown>> {
  const { client, end } = await open();
  client.on("error", hearing.lost);
  client.on("end", hearing.lost);
  client.on("notification", (message: Notification) => {
    if (message.channel === channel) hearing.hear(message.payload ?? "");
  });
  try {
    await client.query(`listen "${channel}"`);
  } catch (error) {
    await end().catch(() => undefined);
    throw error;
  }
  return end;
}

function byPostgresJs(sql: PostgresJsListener, channel: string): Listen {
  return async ({ hear, gap }) => {
    let listening = false;
    const listener = await sql.listen(channel, hear, () => {
      if (listening) gap();
      listening = true;
    });
    return () => listener.unlisten();
  };
}
