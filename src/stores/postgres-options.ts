import { checkNames, flag } from "../core/check-option.ts";
import { isClient, type PostgresClient } from "./postgres-client.ts";
import { isListenSource, type ListenSource } from "./postgres-listen.ts";

export const DEFAULT_SCHEMA = "public";

export interface PostgresStoreOptions {
  /**
   * The schema in which tables and functions are, all of whose names begin with `fastsession_`. At most 50 letters, digits
   * and `_`. Two applications in one database take two schemas.
   *
   * @defaultValue `"public"`
   */
  readonly schema?: string;
  /**
   * Whether statements are prepared under names, which saves the server a little. Not behind a pooler in transaction
   * mode, which loses them, unless it keeps track of them (PgBouncer 1.21 and later, when told to).
   *
   * @defaultValue `false`; with postgres.js what the client is set to
   */
  readonly prepare?: boolean;
  /**
   * Where the store listens for what other processes did (`LISTEN`), on a connection of its own: `true` for one of the
   * client you gave, or a function that makes a `Client` of `pg`, or another client of postgres.js. It must be a direct
   * connection or a pooler in session mode. Without it the store has no feed.
   *
   * @defaultValue none
   */
  readonly listen?: ListenSource;
  /**
   * Tells listeners in every process of each commit, which the near cache needs of all that write. One notification more
   * for each write.
   *
   * @defaultValue `false`
   */
  readonly announceChanges?: boolean;
}

export function checkSchema(schema: string): void {
  if (typeof schema !== "string" || !/^[A-Za-z_]\w{0,49}$/.test(schema)) {
    throw new TypeError("schema is a name of at most 50 letters, digits and _, which begins with no digit");
  }
}

const OPTIONS = { schema: true, prepare: true, listen: true, announceChanges: true } as const;

export function checkArguments(client: PostgresClient, options: PostgresStoreOptions): void {
  if (!isClient(client)) {
    throw new TypeError(
      "PostgresStore takes a Pool or Client of pg, what postgres() of postgres.js answers, or a PGlite",
    );
  }
  checkNames("PostgresStore", options, OPTIONS);
  flag(options, "prepare");
  flag(options, "announceChanges");
  const { schema, listen } = options;
  if (schema !== undefined) checkSchema(schema);
  if (listen !== undefined && !isListenSource(client, listen)) {
    throw new TypeError(
      "listen is true (of a Pool of pg with more than one connection, of postgres.js, or of PGlite), a function that makes a Client of pg, or a client of postgres.js",
    );
  }
}
