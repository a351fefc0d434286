import { isPromise } from "../../src/core/awaitable.ts";
import { createHandle } from "../../src/core/session-handle.ts";
import type { DefaultData, Session } from "../../src/core/session-types.ts";
import { FetchExchange, headersOf } from "../../src/http/fetch-exchange.ts";
import type { HttpSessions } from "../../src/http/http-sessions.ts";

/** One request of a browser, from its cookie to its response's headers, without a framework in between. */
export class Visit<D = DefaultData> {
  readonly exchange: FetchExchange;
  readonly session: Session<D>;
  readonly response: Response = new Response(null);

  constructor(sessions: HttpSessions<D>, cookie: string | undefined) {
    const request = new Request("https://shop.example/", cookie === undefined ? {} : { headers: { cookie } });
    this.exchange = new FetchExchange(sessions, request);
    this.session = createHandle(this.exchange.state) as unknown as Session<D>;
  }

  /** The handler threw. */
  abandon(): void {
    this.exchange.state.abandon();
  }

  /** The response leaves. */
  async end(): Promise<string[]> {
    const done = this.exchange.commit();
    if (isPromise(done)) await done;
    this.exchange.writeHeaders(headersOf(this.response));
    return this.response.headers.getSetCookie();
  }
}

/** Keeps the one cookie that matters here, as a browser would. */
export class Browser<D = DefaultData> {
  readonly #sessions: HttpSessions<D>;
  cookie: string | undefined;

  constructor(sessions: HttpSessions<D>, cookie?: string) {
    this.#sessions = sessions;
    this.cookie = cookie;
  }

  /** A request that is under way until `end`; its cookie is taken over with `keep`. */
  async start(): Promise<Visit<D>> {
    const visit = new Visit(this.#sessions, this.cookie);
    const ready = visit.exchange.prepare();
    if (isPromise(ready)) await ready;
    return visit;
  }

  keep(lines: readonly string[]): void {
    for (const line of lines) {
      const [pair = ""] = line.split(";", 1);
      this.cookie = pair.endsWith("=") ? undefined : pair;
    }
  }

  /** A whole request: what `handler` returned, with the `Set-Cookie` lines of its response. */
  async visit<R>(
    handler: (session: Session<D>) => R,
  ): Promise<{ result: Awaited<R>; lines: string[]; visit: Visit<D> }> {
    const visit = await this.start();
    const result = await handler(visit.session);
    const lines = await visit.end();
    this.keep(lines);
    return { result, lines, visit };
  }
}
