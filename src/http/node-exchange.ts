import { Exchange } from "./exchange.ts";
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

  encrypted(): boolean {
    return isEncrypted(this.#request, this.sessions.http.trustProxy);
  }

  touched(): void {
    this.gate();
  }

  /** From now on no byte leaves before the commit. */
  gate(): void {
    if (this.#gated) return;
    this.#gated = true;
    NodeGate.hold(this, this.#response, this.#fail);
  }
}

const ATTACHED = Symbol("fastsession.attached");

/**
 * Gives a request its session. The same sessions mounted twice are one; two that would share a property or a cookie are
 * refused. `null` where a rule skips the request: nothing is attached then.
 */
export function attach<E extends Exchange>(
  request: object,
  sessions: HttpSessions<unknown>,
  skipRequest: () => SkipRequest,
  create: () => E,
): E | null {
  const { http } = sessions;
  if (http.skip !== null && http.skip(skipRequest())) return null;
  const target = request as { [ATTACHED]?: Exchange[] };
  const others = target[ATTACHED];
  if (others === undefined) {
    const exchange = create();
    target[ATTACHED] = [exchange];
    return exchange;
  }
  for (const other of others) {
    if (other.sessions === sessions) return other as E;
    const { sessionObject, cookie } = other.sessions.http;
    if (sessionObject === http.sessionObject || cookie.name === http.cookie.name) {
      throw new TypeError(
        `two sessions share the property "${http.sessionObject}" or the cookie "${http.cookie.name}": give each its own sessionObject and sessionCookie`,
      );
    }
  }
  const exchange = create();
  others.push(exchange);
  return exchange;
}

/** The property under which this request's session is found, if it has one. */
export function sessionObjectOf(request: object): string | null {
  return (request as { [ATTACHED]?: Exchange[] })[ATTACHED]?.[0]?.sessions.http.sessionObject ?? null;
}

/** The handler of this request threw: what its sessions only recorded is not saved. */
export function abandonAll(request: object): void {
  for (const exchange of (request as { [ATTACHED]?: Exchange[] })[ATTACHED] ?? []) exchange.state.abandon();
}

/** Whether TLS ends here, or, where a proxy is trusted, whether it says that it ended there. */
export function isEncrypted(request: NodeRequest, trustProxy: boolean): boolean {
  if ((request.socket as { encrypted?: unknown } | undefined)?.encrypted === true) return true;
  if (!trustProxy) return false;
  const forwarded = request.headers["x-forwarded-proto"];
  // Of a chain the first is what the client spoke.
  return typeof forwarded === "string" && forwarded.split(",")[0]?.trim().toLowerCase() === "https";
}

/** A Node request as skip rules see it. */
export function nodeSkipRequest(request: NodeRequest): SkipRequest {
  const url = (request as { originalUrl?: string }).originalUrl ?? request.url ?? "/";
  return {
    method: request.method ?? "GET",
    path: url.split("?", 1)[0] as string,
    header(name) {
      const value = request.headers[name.toLowerCase()];
      return Array.isArray(value) ? value.join(", ") : value;
    },
  };
}
