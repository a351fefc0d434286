import { Exchange, type ResponseHeaders } from "./exchange.ts";
import { saysHttps } from "./forwarded-proto.ts";
import type { HttpSessions } from "./http-sessions.ts";
import type { SkipRequest } from "./skip-rules.ts";

/** A request of the Fetch API. */
export class FetchExchange extends Exchange {
  readonly #request: Request;

  constructor(sessions: HttpSessions<unknown>, request: Request) {
    super(sessions);
    this.#request = request;
  }

  cookieHeader(): string | undefined {
    return this.#request.headers.get("cookie") ?? undefined;
  }

  header(name: string): string | undefined {
    return this.#request.headers.get(name) ?? undefined;
  }

  encrypted(): boolean {
    return urlEncrypted(this.#request.url, this.#request.headers, this.sessions.http.trustProxy);
  }

  holdHeaders(): void {
    // The response comes back through us: there is nothing to install.
  }

  get closed(): boolean {
    return this.#request.signal.aborted;
  }
}

/** Whether a request's URL, or the proxy that is trusted, says https. */
export function urlEncrypted(url: string, headers: Pick<Headers, "get">, trustProxy: boolean): boolean {
  if (url.startsWith("https:")) return true;
  return trustProxy && saysHttps(headers.get("x-forwarded-proto") ?? undefined);
}

/** A request as skip rules see it. */
export function fetchSkipRequest(request: Request): SkipRequest {
  const { host, pathname } = new URL(request.url);
  return {
    method: request.method,
    path: pathname,
    host: request.headers.get("host") ?? host,
    header: (name) => request.headers.get(name) ?? undefined,
  };
}

/** The response with the session's headers: on a copy where its own cannot be changed. */
export function withHeaders(exchange: Exchange, response: Response): Response {
  try {
    exchange.writeHeaders(headersOf(response));
    return response;
  } catch (error) {
    // Redirects and fetched responses have immutable headers; the first write tells, before any was done.
    if (!(error instanceof TypeError)) throw error;
    const copy = new Response(response.body, response);
    exchange.writeHeaders(headersOf(copy));
    return copy;
  }
}

export function headersOf(response: Response): ResponseHeaders {
  const { headers } = response;
  return {
    get: (name) => headers.get(name) ?? undefined,
    set: (name, value) => headers.set(name, value),
    appendCookie: (line) => headers.append("set-cookie", line),
  };
}
