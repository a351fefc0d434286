/** How tests answer with Fastify's reply. */
import type { FastifyReply } from "fastify";
import type { AdapterAnswer } from "../../src/testing/index.ts";
import { NodeAnswer, nodeCookieWays, piped } from "./node-answers.ts";

/** Ways that act when they are called. */
const ways: Record<string, (reply: FastifyReply, line: string) => unknown> = {
  "reply.header": (reply, line) => reply.header("Set-Cookie", line),
  "reply.headers": (reply, line) => reply.headers({ "set-cookie": line }),
};

export const fastifyCookieWays: readonly string[] = [...Object.keys(ways), ...nodeCookieWays];

export class FastifyAnswer {
  readonly #reply: FastifyReply;
  readonly #node: NodeAnswer;

  constructor(reply: FastifyReply) {
    this.#reply = reply;
    this.#node = new NodeAnswer(reply.raw);
  }

  setCookie(way: string, line: string): void {
    const set = ways[way];
    if (set === undefined) this.#node.setCookie(way, line);
    else set(this.#reply, line);
  }

  /** With `writeHead` the reply is hijacked: Fastify sends nothing then, and none of its later hooks run. */
  send(answer: AdapterAnswer): FastifyReply {
    const { status = 200, headers = {}, redirect, body, stream } = answer;
    const reply = this.#reply;
    if (this.#node.pending) {
      reply.hijack();
      this.#node.send(answer);
      return reply;
    }
    if (redirect !== undefined) return reply.redirect(redirect, 302);
    return reply
      .code(status)
      .headers(headers)
      .send(stream === undefined ? body : piped(stream));
  }
}
