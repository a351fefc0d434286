import { newSession } from "../core/lifecycle.ts";
import type { OnClose } from "../core/presented.ts";
import type { SessionConfig } from "../core/session-config.ts";
import type { Live } from "../core/live.ts";
import { createHandle } from "../core/session-handle.ts";
import type { SessionInfo } from "../core/session-info.ts";
import { Sessions } from "../core/sessions.ts";
import type { SessionState } from "../core/session-state.ts";
import type { DefaultData, Session } from "../core/session-types.ts";
import type { Sweeper } from "../core/sweeper.ts";
import { type CsrfCheck, csrfError } from "./csrf-check.ts";
import type { SessionCookie } from "./session-cookie.ts";
import type { SkipRequest } from "./skip-rules.ts";

/** How a session's id travels: options, checked and completed. */
export interface HttpConfig {
  readonly cookie: SessionCookie;
  readonly secure: boolean | "auto";
  readonly sessionObject: string;
  readonly skip: ((request: SkipRequest) => boolean) | null;
  readonly csrf: CsrfCheck | null;
  readonly trustProxy: boolean;
  /** Says, once, why a cookie goes without Secure or does not come back. */
  readonly warnInsecure: (forwardedProto: string | undefined) => void;
}

/** A request, as far as it can be without a framework: Node's, or the Fetch API's. */
export interface AnyRequest {
  readonly headers: Headers | Readonly<Record<string, string | string[] | undefined>>;
}

/**
 * The sessions of an application: what `createSessions` makes, adapters take, and code outside a request uses.
 *
 * `D` is the type of the data, `I` that of `session.info`: `LiveInfo` where the store has a feed.
 */
export class HttpSessions<D = DefaultData, I extends SessionInfo = SessionInfo> extends Sessions {
  readonly http: HttpConfig;
  /** Only a type: what the sessions hold. */
  declare readonly data: D;

  constructor(config: SessionConfig, http: HttpConfig, sweeper: Sweeper, live: Live) {
    super(config, sweeper, live);
    this.http = http;
  }

  /**
   * The session that a request brings, without a response to set a cookie on: for WebSocket upgrades and event streams.
   * Changes are saved at the end of each turn; whatever needs a new cookie throws. It is read once: `info.signal` says
   * when it ends, `reload()` reads it again.
   */
  async open(request: AnyRequest): Promise<Session<D, I>> {
    const state = this.#stateOf(request);
    await state.load();
    state.look();
    state.frozen = true;
    return createHandle(state) as unknown as Session<D, I>;
  }

  /** The data that a request's session holds, or `null`; records no use and changes nothing. */
  async peek(request: AnyRequest): Promise<Readonly<D> | null> {
    const state = this.#stateOf(request);
    await state.load();
    if (!state.saved) return null;
    const { data } = state;
    return Object.fromEntries(data.fields().map((field) => [field, data.get(field)])) as D;
  }

  /**
   * Whether a request is to have a session: not where a rule skips it. Adapters ask before anything else.
   *
   * @throws FastSessionError `ERR_SESSION_CSRF` when a page of another origin sent it, and the option `csrf` is set
   */
  admit(request: () => SkipRequest): boolean {
    const { skip, csrf } = this.http;
    if (skip === null && csrf === null) return true;
    const asked = request();
    if (skip?.(asked) === true) return false;
    const reason = csrf?.(asked) ?? null;
    if (reason === null) return true;
    this.config.events.emit("csrf", { reason });
    throw csrfError();
  }

  #stateOf(request: AnyRequest): SessionState {
    const cookie = this.http.cookie;
    return newSession(this.config, {
      present: (now) => cookie.read(headerOf(request, "cookie"), now),
      touched: () => undefined,
      onClose: closeOf(request),
    });
  }
}

const closing = new WeakMap<object, Set<() => void>>();

/**
 * How a Node request tells that it is over: by its response's end, or, where it has none (an upgrade), by its socket's.
 * One listener for all of a socket.
 */
function closeOf(request: AnyRequest): OnClose | undefined {
  const { socket, raw = request } = request as NodeShape;
  if (typeof socket?.once !== "function") return undefined;
  return (listener) => {
    if (socket.destroyed === true) return queueMicrotask(listener);
    // Undocumented, and in every Node. Without it, or where it is not this request's turn, the socket is waited for.
    const response = socket._httpMessage;
    const source = response?.req === raw ? response : socket;
    const known = closing.get(source);
    if (known !== undefined) return void known.add(listener);
    const listeners = new Set([listener]);
    closing.set(source, listeners);
    source.once("close", () => listeners.forEach((call) => call()));
  };
}

/** A request of Node, or a framework's around one. */
interface NodeShape {
  readonly raw?: object;
  readonly socket?:
    | (Closing & { readonly destroyed?: boolean; readonly _httpMessage?: (Closing & { req?: object }) | null })
    | null;
}

interface Closing {
  once(event: "close", listener: () => void): unknown;
}

/** A header's value in Node's or the Fetch API's shape of a request. */
export function headerOf(request: AnyRequest, name: string): string | undefined {
  const { headers } = request;
  if (typeof (headers as Headers).get === "function") return (headers as Headers).get(name) ?? undefined;
  const value = (headers as Readonly<Record<string, string | string[] | undefined>>)[name];
  return Array.isArray(value) ? value.join("; ") : value;
}
