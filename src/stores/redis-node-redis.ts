import type { Reply } from "./redis-answers.ts";
import { type Commander, isElsewhere, isUnknownScript, type NodeRedisClient } from "./redis-client.ts";
import { NodeRedisConnection, type NodeRedisPlain, type RedisConnection } from "./redis-connection.ts";
import type { Script } from "./redis-script.ts";
import { READ } from "./redis-scripts.ts";

interface Given {
  keys: string[];
  arguments: string[];
}

interface Multi {
  evalSha(sha: string, given: Given): Multi;
  eval(script: string, given: Given): Multi;
  wait(replicas: number, milliseconds: number): Multi;
  execAsPipeline(): Promise<unknown[]>;
}

interface Plain {
  duplicate(): NodeRedisPlain;
}

/** More of the client, of which some is only on one of its three forms. */
interface Whole extends NodeRedisClient {
  multi(): Multi;
  duplicate(): NodeRedisPlain;
  /** Of a cluster. */
  readonly masters?: readonly unknown[];
  nodeClient?(node: unknown): Promise<Plain>;
  /** Of a client that finds its server through Sentinels. */
  _execute?(isReadonly: boolean, use: (client: Plain) => Promise<unknown>): Promise<unknown>;
}

export class NodeRedis implements Commander {
  readonly cluster: boolean;
  readonly #client: Whole;

  constructor(client: NodeRedisClient) {
    this.#client = client as Whole;
    this.cluster = typeof this.#client.nodeClient === "function";
  }

  run(script: Script, keys: readonly string[], args: readonly string[]): Promise<Reply> {
    return this.#client.evalSha(script.sha, { keys: keys as string[], arguments: args as string[] }) as Promise<Reply>;
  }

  runText(script: Script, keys: readonly string[], args: readonly string[]): Promise<Reply> {
    return this.#client.eval(script.text, { keys: keys as string[], arguments: args as string[] }) as Promise<Reply>;
  }

  async runAndWait(
    script: Script,
    keys: readonly string[],
    args: readonly string[],
    replicas: number,
    milliseconds: number,
  ): ReturnType<Commander["runAndWait"]> {
    const given = { keys: keys as string[], arguments: args as string[] };
    // A chain of commands goes over one connection, or fails as a whole: WAIT speaks of the server it is sent to.
    const attempt = (begin: Multi): Promise<unknown[]> => begin.wait(replicas, milliseconds).execAsPipeline();
    const byName = (): Promise<unknown[]> => attempt(this.#client.multi().evalSha(script.sha, given));
    let answers: unknown[];
    try {
      answers = await byName();
    } catch (error) {
      const [cause] = repliesOf(error);
      if (isUnknownScript(cause)) answers = await attempt(this.#client.multi().eval(script.text, given));
      else if (isElsewhere(cause)) {
        // A single command is redirected, and the client learns where the slot is.
        await this.run(READ, keys.slice(0, 1), []).catch(() => undefined);
        answers = await byName();
      } else throw cause;
    }
    return { reply: answers[0] as Reply, replicas: Number(answers[1]) };
  }

  async connection(): Promise<RedisConnection> {
    const client = this.#client;
    if (client.nodeClient !== undefined && client.masters !== undefined) {
      const node = client.masters[Math.floor(Math.random() * client.masters.length)];
      return new NodeRedisConnection((await client.nodeClient(node)).duplicate());
    }
    if (client._execute === undefined || !("getSentinelNode" in client)) return plain(client);
    // A box, because an answer is awaited and a client must not be taken for one.
    const box = (await client._execute(false, (server) => Promise.resolve([plain(server)]))) as [RedisConnection];
    return box[0];
  }
}

function plain(client: Plain): RedisConnection {
  return new NodeRedisConnection(client.duplicate());
}

/** The errors of a pipeline's replies, or its one error. */
function repliesOf(error: unknown): unknown[] {
  const { replies, errorIndexes } = error as { replies?: unknown[]; errorIndexes?: number[] };
  return replies === undefined ? [error] : (errorIndexes ?? []).map((index) => replies[index]);
}
