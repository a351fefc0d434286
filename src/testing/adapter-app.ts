import type { Session } from "../core/session-types.ts";
import type { Awaitable } from "../core/units.ts";
import type { HttpSessions } from "../http/http-sessions.ts";

/** A request, as the contract's handler is to see it. */
export interface AdapterCall {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  /** What a handler finds under each mounted session's property, in order: `undefined` on skipped requests. */
  readonly sessions: readonly (Session<Record<string, unknown>> | undefined)[];
  /** Sets a cookie of the application's, at once, in one of `cookieWays`. */
  readonly setCookie: (way: string, line: string) => void;
}

/** What the handler answers, to be sent with the framework's own means. */
export interface AdapterAnswer {
  /** @defaultValue 200 */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** A text; nothing at all when absent. */
  readonly body?: string;
  /** Where to redirect to, with the framework's own redirect and its own status. */
  readonly redirect?: string;
  /** Writes the body piece by piece: the response's first byte leaves with the first, and its end with the promise's. */
  readonly stream?: (write: (text: string) => void) => Promise<void>;
}

/** An application to be served by the framework under test. */
export interface AdapterApp {
  /** To be given to the adapter's `fastSession`, and mounted in this order. */
  readonly mounts: readonly HttpSessions[];
  /**
   * The one handler, for every method and path. What it throws, at once or later, is to reach the framework as what a
   * handler throws.
   */
  readonly handle: (call: AdapterCall) => Awaitable<AdapterAnswer>;
  /** Where given: the application's own error handler, in the framework's way. */
  readonly onError?: (error: unknown) => AdapterAnswer;
}

export interface AdapterServer {
  /** `http://127.0.0.1:<port>` */
  readonly origin: string;
  close(): Promise<void>;
}

/** Serves an application on a free port of the loopback interface. */
export type StartAdapter = (app: AdapterApp) => Promise<AdapterServer>;
