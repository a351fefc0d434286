import { isHandle } from "../core/handle-target.ts";
import type { Exchange } from "./exchange.ts";
import type { HttpSessions } from "./http-sessions.ts";
import type { SkipRequest } from "./skip-rules.ts";

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
  if (!sessions.admit(skipRequest)) return null;
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

/**
 * Whether the property that handlers find the session under has it already: the same sessions mounted twice are one.
 *
 * @throws TypeError when something else stands there, which ours would replace or be hidden by
 */
export function isMounted(value: unknown, name: string): boolean {
  if (value === undefined) return false;
  if (isHandle(value)) return true;
  throw new TypeError(`"${name}" is taken by other middleware: remove that, or set another sessionObject`);
}
