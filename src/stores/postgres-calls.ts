import type { Milliseconds } from "../core/units.ts";
import { type Connection, connect, type PostgresClient, type Row, type Statement } from "./postgres-client.ts";
import { isCollision, storeError, strayAnswer } from "./postgres-errors.ts";
import { type Call, calls } from "./postgres-migration.ts";
import { type Argument, toParameter } from "./postgres-argument.ts";

/**
 * How long a call that loses against other transactions is made again. Less than the default of `storeTimeout`, so that
 * the answer is "it did not happen" and not "unknown".
 */
const PATIENCE: Milliseconds = 1_500;
const LONGEST_PAUSE: Milliseconds = 50;

/** Calls that change nothing: a lost answer is no uncertain one. */
const READS = new Set<Call>(["load", "list", "generation", "layout", "ping"]);

/**
 * Calls the functions in the database: one round trip each. Each sends a mark that must come back with its answer: a
 * client that shares a connection between calls may confuse whose answer it is (see docs/decisions/014).
 */
export class Calls {
  readonly #connection: Connection;
  readonly #statements: { readonly [Name in Call]: Statement };
  readonly #mark: string = `${Math.random().toString(36).slice(2, 8)}.`;
  #count = 0;

  constructor(client: PostgresClient, schema: string, prepare: boolean | undefined) {
    this.#connection = connect(client, prepare);
    // A number, since PostgreSQL cuts names after 63 characters, and a schema has 50.
    const named = Object.entries(calls(schema)).map(([call, text], number) => [
      call,
      { text, name: `fs1 ${number} ${schema}` },
    ]);
    this.#statements = Object.fromEntries(named) as { [Name in Call]: Statement };
  }

  /** The JSON that a function answers. */
  async answer(call: Call, ...values: readonly Argument[]): Promise<unknown> {
    const rows = await this.#send(call, values, ([row], mark) => row?.[1] === mark);
    return JSON.parse(rows[0]?.[0] as string) as unknown;
  }

  /** The rows that `load` answers. The one without a text was the mark's. */
  async load(key: string): Promise<readonly Row[]> {
    return this.#send("load", [key], (rows, mark) => rows.some(([name, text]) => text === null && name === mark));
  }

  async #send(
    call: Call,
    values: readonly Argument[],
    isAnswer: (rows: readonly Row[], mark: string) => boolean,
  ): Promise<readonly Row[]> {
    const mark = `${this.#mark}${(this.#count += 1)}`;
    const parameters = [...values.map(toParameter), mark];
    const writes = !READS.has(call);
    const rows = await this.#again(writes, () => this.#connection.run(this.#statements[call], parameters));
    if (!isAnswer(rows, mark)) throw strayAnswer(writes);
    return rows;
  }

  async script(text: string): Promise<void> {
    await this.#again(false, () => this.#connection.script(text));
  }

  /**
   * A call that lost against another transaction has left nothing behind and is made again: after pauses of random
   * length, that they do not meet again.
   */
  async #again<T>(writes: boolean, call: () => Promise<T>): Promise<T> {
    const until = performance.now() + PATIENCE;
    for (let longest = 1; ; longest = Math.min(longest * 2, LONGEST_PAUSE)) {
      try {
        return await call();
      } catch (error) {
        if (!isCollision(error) || performance.now() > until) throw storeError(error, writes);
      }
      await new Promise<void>((resolve) => setTimeout(resolve, Math.random() * longest));
    }
  }
}
