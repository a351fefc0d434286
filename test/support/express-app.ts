/** Serves the adapter contract's applications by Express, 4 or 5. */
import { createServer } from "node:http";
import type { Express, NextFunction, Request, Response } from "express";
import { fastSession } from "../../src/adapters/express.ts";
import type { AdapterAnswer, AdapterApp, AdapterServer } from "../../src/testing/index.ts";
import { listen, NodeAnswer, nodeCookieWays } from "./node-answers.ts";

/** Express's own ways, which act when they are called. */
const ways: Record<string, (response: Response, line: string) => unknown> = {
  "res.cookie": (response, line) => response.cookie(...(line.split(/[=;]/, 2) as [string, string])),
  "res.append": (response, line) => response.append("Set-Cookie", line),
  "res.set": (response, line) => response.set("Set-Cookie", [line]),
};

export const expressCookieWays: readonly string[] = [...Object.keys(ways), ...nodeCookieWays];

export class ExpressAnswer {
  readonly #response: Response;
  readonly #node: NodeAnswer;

  constructor(response: Response) {
    this.#response = response;
    this.#node = new NodeAnswer(response);
  }

  setCookie(way: string, line: string): void {
    const set = ways[way];
    if (set === undefined) this.#node.setCookie(way, line);
    else set(this.#response, line);
  }

  send(answer: AdapterAnswer): void {
    const { status = 200, headers = {}, redirect, body } = answer;
    if (this.#node.pending || answer.stream !== undefined) return this.#node.send(answer);
    this.#response.status(status).set(headers);
    if (redirect !== undefined) this.#response.redirect(redirect);
    else if (body === undefined) this.#response.end();
    else this.#response.send(body);
  }
}

/** @param returnsPromises whether Express waits for what a handler returns, as it does since 5 */
export function startExpress(
  app: Express,
  { mounts, handle, onError }: AdapterApp,
  returnsPromises: boolean,
): Promise<AdapterServer> {
  for (const sessions of mounts) app.use(fastSession(sessions));
  app.use((request: Request, response: Response, next: NextFunction): unknown => {
    const answer = new ExpressAnswer(response);
    const answered = handle({
      method: request.method,
      url: request.originalUrl,
      sessions: mounts.map(({ http }) => (request as never)[http.sessionObject]),
      setCookie: (way, line) => answer.setCookie(way, line),
    });
    if (!(answered instanceof Promise)) return answer.send(answered);
    const sent = answered.then((given) => answer.send(given));
    return returnsPromises ? sent : void sent.catch(next);
  });
  if (onError !== undefined) {
    app.use((error: unknown, _request: Request, response: Response, _next: NextFunction) => {
      new ExpressAnswer(response).send(onError(error));
    });
  }
  return listen(createServer(app));
}
