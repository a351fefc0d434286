import type { Milliseconds } from "../core/units.ts";
import { type Connection, connect, type PostgresClient, type Row, type Statement } from "./postgres-client.ts";
import { isCollision, storeError } from "./postgres-errors.ts";
import { calls, type Verb } from "./postgres-migration.ts";
import { type Argument, toParameter } from "./postgres-argument.ts";

/**
 * How long a call that loses against other transactions is made again. Less than the default of `storeTimeout`, so that
 * the answer is "it did not happen" and not "unknown".
 */
const PATIENCE: Milliseconds = 1_500;
const LONGEST_PAUSE: Milliseconds = 50;

/** Functions that change nothing: a lost answer is no uncertain one. */
const READS = new Set<Verb>(["load", "list", "generation"]);

/** Calls the functions in the database: one round trip each. */
export class Calls {
  readonly #connection: Connection;
  readonly #statements: { readonly [Name in Verb]: Statement };

  constructor(client: PostgresClient, schema: string, prepare: boolean | undefined) {
    this.#connection = connect(client, prepare);
    const named = Object.entries(calls(schema)).map(([verb, text]) => [
      verb,
      { text, name: `fastsession 1 ${verb} ${schema}` },
    ]);
    this.#statements = Object.fromEntries(named) as { [Name in Verb]: Statement };
  }

  /** The JSON that a function answers. */
  async answer(verb: Verb, ...values: readonly Argument[]): Promise<unknown> {
    const rows = await this.rows(verb, ...values);
    return JSON.parse(rows[0]?.[0] as string) as unknown;
  }

  async rows(verb: Verb, ...values: readonly Argument[]): Promise<readonly Row[]> {
    const parameters = values.map(toParameter);
    return this.#again(!READS.has(verb), () => this.#connection.run(this.#statements[verb], parameters));
  }

  /** Some other statement, without values. Answers how many rows came. */
  async plain(text: string): Promise<number> {
    return (await this.#again(false, () => this.#connection.run({ text, name: "" }, []))).length;
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
