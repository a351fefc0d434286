/**
 * The clients that `PostgresStore` takes, by the few methods it calls, and the one way in which it calls them all.
 */

import { FastSessionError } from "../core/errors.ts";

/** A row, in the order of the selected columns, all of which are texts. */
export type Row = readonly (string | null)[];

/** A `Pool` or a `Client` of `pg`, or of a package with its interface. */
export interface PgClient {
  query(query: {
    readonly text: string;
    readonly values?: unknown[];
    readonly name?: string;
    readonly rowMode: "array";
  }): Promise<{ readonly rows: unknown[] }>;
}

/** What `postgres()` of postgres.js answers. */
export interface PostgresJsClient {
  (...query: never): unknown;
  unsafe(query: string, values?: never[], options?: { prepare?: boolean }): PostgresJsQuery;
  readonly options: { readonly prepare: boolean };
}

interface PostgresJsQuery extends PromiseLike<unknown> {
  values(): PromiseLike<unknown>;
}

/** A `PGlite`. */
export interface PgliteClient {
  query(
    query: string,
    values: unknown[],
    options: { readonly rowMode: "array" },
  ): Promise<{ readonly rows: unknown[] }>;
  exec(script: string): Promise<unknown>;
}

/** Where a `Client` of `pg` keeps how far it is. A `Pool` has neither. */
interface PgClientState {
  readonly _connected?: boolean;
  readonly _connecting?: boolean;
}

export type PostgresClient = PgClient | PostgresJsClient | PgliteClient;

export interface Statement {
  readonly text: string;
  /** Under which it is prepared, where it is. */
  readonly name: string;
}

/** A client behind two calls. */
export interface Connection {
  run(statement: Statement, values: readonly (string | null)[]): Promise<readonly Row[]>;
  /** Several statements in one transaction. */
  script(text: string): Promise<unknown>;
}

/** @param prepare whether statements are prepared under names; `undefined` leaves it to the client */
export function connect(client: PostgresClient, prepare: boolean | undefined): Connection {
  if (isPostgresJs(client)) {
    return {
      run: async ({ text }, values) => {
        const named = prepare ?? client.options.prepare;
        return (await client.unsafe(text, values as never[], { prepare: named }).values()) as Row[];
      },
      script: async (text) => client.unsafe(text),
    };
  }
  if (isPglite(client)) {
    return {
      run: async ({ text }, values) =>
        (await client.query(text, values as (string | null)[], { rowMode: "array" })).rows as Row[],
      script: (text) => client.exec(text),
    };
  }
  return {
    run: async ({ text, name }, values) => {
      checkConnected(client);
      const query = { text, values: values as (string | null)[], rowMode: "array" as const };
      return (await client.query(prepare === true ? { ...query, name } : query)).rows as Row[];
    },
    // Without values, so that it may have several statements.
    script: async (text) => {
      checkConnected(client);
      return client.query({ text, rowMode: "array" });
    },
  };
}

/** What a `Client` of `pg` is asked before it is connected waits for that, perhaps for ever. */
function checkConnected(client: object): void {
  const { _connected: connected, _connecting: connecting } = client as PgClientState;
  if (connected !== false || connecting !== false) return;
  throw new FastSessionError(
    "ERR_SESSION_STORE",
    "PostgreSQL failed: this Client of pg is not connected: await client.connect() before the first session, or give a Pool",
  );
}

export function isPostgresJs(client: object): client is PostgresJsClient {
  return typeof client === "function" && "unsafe" in client;
}

export function isPglite(client: object): client is PgliteClient {
  return "exec" in client && "query" in client;
}

export function isClient(client: unknown): client is PostgresClient {
  if (typeof client === "function") return isPostgresJs(client);
  return typeof client === "object" && client !== null && "query" in client && typeof client.query === "function";
}
