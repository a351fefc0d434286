import type { Reply } from "./redis-answers.ts";
import { type Commander, type IoredisClient, isUnknownScript } from "./redis-client.ts";
import { IoredisConnection, type IoredisPlain, type RedisConnection } from "./redis-connection.ts";
import type { Script } from "./redis-script.ts";
import { READ } from "./redis-scripts.ts";

/** More of the client, of which some is only on one of its two classes. */
interface Whole extends IoredisClient {
  readonly isCluster?: boolean;
  readonly options?: { readonly keyPrefix?: string };
  duplicate(overrides?: object): IoredisPlain;
  nodes?(role: "master"): ClusterNode[];
  on(event: string, listener: () => void): unknown;
  pipeline(commands: unknown[][]): { exec(): Promise<[error: Error | null, reply: unknown][] | null> };
  /** The socket of a client of one server; another one after each reconnection. */
  readonly stream?: Gathering;
}

/** A server of a cluster. */
interface ClusterNode {
  readonly stream?: Gathering;
  duplicate(overrides: object): IoredisPlain;
}

interface Gathering {
  cork(): void;
  uncork(): void;
}

/** It ends with its first fault, and waits for nothing: neither for a server that comes back nor for a reply. */
const FEED = {
  lazyConnect: true,
  autoResubscribe: false,
  retryStrategy: () => null,
  maxRetriesPerRequest: 0,
  enableOfflineQueue: true,
} as const;

export class Ioredis implements Commander {
  readonly cluster: boolean;
  readonly #client: Whole;
  /** How many connections of a client of one server broke. */
  #breaks: number | undefined;
  #gathering = false;

  constructor(client: IoredisClient) {
    this.#client = client as Whole;
    // Scripts know their keys by the first brace in them.
    if (this.#client.options?.keyPrefix?.includes("{")) {
      throw new TypeError("keyPrefix of a client for RedisStore is without braces: they are for the store's own keys");
    }
    this.cluster = this.#client.isCluster === true;
  }

  run(script: Script, keys: readonly string[], args: readonly string[]): Promise<Reply> {
    this.#gather();
    return this.#client.evalsha(script.sha, keys.length, ...keys, ...args) as Promise<Reply>;
  }

  runText(script: Script, keys: readonly string[], args: readonly string[]): Promise<Reply> {
    return this.#client.eval(script.text, keys.length, ...keys, ...args) as Promise<Reply>;
  }

  async runAndWait(
    script: Script,
    keys: readonly string[],
    args: readonly string[],
    replicas: number,
    milliseconds: number,
  ): ReturnType<Commander["runAndWait"]> {
    const attempt = (command: string, name: string): Promise<[Error | null, unknown][]> =>
      this.#inOneConnection([
        [command, name, keys.length, ...keys, ...args],
        ["wait", replicas, milliseconds],
      ]);
    let answers = await attempt("evalsha", script.sha);
    if (isUnknownScript(answers[0]?.[0])) answers = await attempt("eval", script.text);
    for (const [error] of answers) if (error !== null) throw error;
    return { reply: answers[0]?.[1] as Reply, replicas: Number(answers[1]?.[1]) };
  }

  async connection(): Promise<RedisConnection> {
    if (!this.cluster) return new IoredisConnection(this.#client.duplicate(FEED));
    // A client that has only begun to connect knows its servers when it has been answered something.
    if (this.#masters().length === 0) await this.run(READ, ["{}"], []).catch(() => undefined);
    const masters = this.#masters();
    const node = masters[Math.floor(Math.random() * masters.length)];
    if (node === undefined) throw new Error("the client knows no server of its cluster");
    return new IoredisConnection(node.duplicate(FEED));
  }

  /**
   * Commands of one turn of the event loop leave in one packet, as node-redis sends them. This client writes each by
   * itself, and the system call is a third of what a command costs. Order stays; a lone command leaves in the same turn.
   */
  #gather(): void {
    if (this.#gathering) return;
    this.#gathering = true;
    const sockets = (this.cluster ? this.#masters() : [this.#client]).map(({ stream }) => stream);
    for (const socket of sockets) socket?.cork();
    setImmediate(() => {
      this.#gathering = false;
      for (const socket of sockets) socket?.uncork();
    });
  }

  #masters(): readonly ClusterNode[] {
    return this.#client.nodes?.("master") ?? [];
  }

  /**
   * WAIT speaks of the server it is sent to. After a break this client sends again what was not answered, and behind a
   * failover a WAIT that stands alone would be true of nothing: so a break in between is an answer that never came.
   */
  async #inOneConnection(commands: unknown[][]): Promise<[Error | null, unknown][]> {
    if (this.#breaks === undefined) {
      this.#breaks = 0;
      if (!this.cluster) this.#client.on("close", () => (this.#breaks = (this.#breaks as number) + 1));
    }
    const before = this.#breaks;
    const answers = (await this.#client.pipeline(commands).exec()) ?? [];
    const failed = answers.some(([error]) => error !== null);
    if (!failed && this.#breaks !== before) throw new Error("the connection broke while replicas were waited for");
    return answers;
  }
}
