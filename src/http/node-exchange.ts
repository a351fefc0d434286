import { Exchange } from "./exchange.ts";
import { saysHttps } from "./forwarded-proto.ts";
import type { HttpSessions } from "./http-sessions.ts";
import { NodeGate, type NodeResponse } from "./node-gate.ts";
import type { SkipRequest } from "./skip-rules.ts";

/** The part of `IncomingMessage` and `Http2ServerRequest` that is used. */
export interface NodeRequest {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly socket?: unknown;
}

/** A request and response of `node:http`, and of what is built on it. */
export class NodeExchange extends Exchange {
  readonly #request: NodeRequest;
  readonly #response: NodeResponse;
  readonly #fail: ((error: unknown) => void) | undefined;
  #gated = false;

  constructor(
    sessions: HttpSessions<unknown>,
    request: NodeRequest,
    response: NodeResponse,
    fail?: (error: unknown) => void,
  ) {
    super(sessions);
    this.#request = request;
    this.#response = response;
    this.#fail = fail;
    // A session for every visitor needs its cookie before the first byte, touched or not.
    if (sessions.config.saveUninitialized) this.gate();
  }

  cookieHeader(): string | undefined {
    return this.#request.headers["cookie"] as string | undefined;
  }

  header(name: string): string | undefined {
    const value = this.#request.headers[name];
    return Array.isArray(value) ? value.join(", ") : value;
  }

  encrypted(): boolean {
    return isEncrypted(this.#request, this.sessions.http.trustProxy);
  }

  holdHeaders(): void {
    this.gate();
  }

  get closed(): boolean {
    return this.#response.closed === true;
  }

  onClose(listener: () => void): void {
    if (this.#response.closed === true) queueMicrotask(listener);
    else this.#response.once("close", listener);
  }

  /** From now on no byte leaves before the commit. */
  gate(): void {
    if (this.#gated) return;
    this.#gated = true;
    NodeGate.hold(this, this.#response, this.#fail);
  }
}

/** Whether TLS ends here, or, where a proxy is trusted, whether it says that it ended there. */
export function isEncrypted(request: NodeRequest, trustProxy: boolean): boolean {
  if ((request.socket as { encrypted?: unknown } | undefined)?.encrypted === true) return true;
  return trustProxy && saysHttps(request.headers["x-forwarded-proto"] as string | undefined);
}

/** A Node request as skip rules see it. */
export function nodeSkipRequest(request: NodeRequest): SkipRequest {
  const url = (request as { originalUrl?: string }).originalUrl ?? request.url ?? "/";
  const { host, ":authority": authority } = request.headers;
  return {
    method: request.method ?? "GET",
    path: url.split("?", 1)[0] as string,
    host: (host ?? authority) as string | undefined,
    header(name) {
      const value = request.headers[name.toLowerCase()];
      return Array.isArray(value) ? value.join(", ") : value;
    },
  };
}
