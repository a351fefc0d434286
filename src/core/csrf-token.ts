/**
 * Tokens for forms, bound to the session's id: whoever cannot read the cookie cannot make one, and a new id ends them.
 *
 * A token is a random beginning and the HMAC-SHA-256 of it under the id, so that no two are alike and a compressed page
 * gives nothing away (BREACH). The id has 192 random bits, and nobody gets from the token back to it.
 *
 * Where ids change in use (`rotateEvery`), a page that is open would hold a token of an id that is gone. There tokens
 * are made under a secret in the session's data, at the price of one write, which a login and `regenerate` end.
 */
import { deriveKey, equalInConstantTime, randomText } from "./crypto.ts";
import { stateOf } from "./handle-target.ts";
import { CSRF_FIELD } from "./recorded-field.ts";
import type { SessionState } from "./session-state.ts";
import type { Change } from "./session-store.ts";

const SALT_LENGTH = 24;
/** A multiple of three: 192 bits. */
const SECRET_BYTES = 24;
const MOST_SECRETS = 8;
const FORM = /^[\w-]{67}$/;

function tokenOf(id: string, salt: string): string {
  return salt + deriveKey(id, `fastsession csrf token v1 ${salt}`);
}

/** Makes a token for the session as it is now. */
export function csrfToken(state: SessionState): string {
  state.look();
  if (changesIds(state))
    return tokenOf(secretsOf(state.data.get(CSRF_FIELD, true)).at(-1) ?? newSecret(state), newSalt());
  if (!state.saved) {
    // Else it would not be saved where nothing is written, and its id has to be found again.
    state.writable.set(CSRF_FIELD, true, true);
    state.reservedId ??= state.config.ids.next();
  }
  return tokenOf(state.id ?? (state.reservedId as string), newSalt());
}

/** At a login and `regenerate`: a token from before is not to hold after it. */
export function endCsrfTokens(state: SessionState): void {
  // Also where none was read: a secret that is made next must not join one that another request has made since.
  if (changesIds(state)) state.writable.delete(CSRF_FIELD, true);
}

/** What a login and `regenerate` remove from the record, whatever this request has read of it. */
export function removedWithTokens(
  state: SessionState,
  { clear, remove = [], set = {} }: Partial<Change>,
): readonly string[] {
  const ends = changesIds(state) && clear !== true && !Object.hasOwn(set, CSRF_FIELD) && !remove.includes(CSRF_FIELD);
  return ends ? [...remove, CSRF_FIELD] : remove;
}

function changesIds({ config }: SessionState): boolean {
  return config.rotateEvery !== Infinity;
}

/** One, or one for each of the pages that asked for the session's first token at the same moment. */
function secretsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((secret) => typeof secret === "string") : [];
}

function newSecret(state: SessionState): string {
  const secret = randomText(SECRET_BYTES);
  const run = (others: unknown): unknown => [...secretsOf(others), secret].slice(-MOST_SECRETS);
  state.writable.compute(CSRF_FIELD, { run, adds: null }, true);
  return secret;
}

function newSalt(): string {
  return randomText((SALT_LENGTH / 4) * 3);
}

/**
 * Whether a form's token was made by `session.csrfToken()` of this session, since its last login or `regenerate`. Compared in constant
 * time; anything that is no such token is `false`, never an error.
 *
 * @param session the request's session
 * @param token what came with the form or in a header, of whatever type
 * @example
 * if (!verifyCsrf(req.session, req.body._csrf)) return res.sendStatus(403);
 * @see OWASP Cross-Site Request Forgery Prevention Cheat Sheet, "Token-Based Mitigation"
 */
export function verifyCsrf(session: object, token: unknown): boolean {
  const state = stateOf(session);
  state.look();
  if (typeof token !== "string" || !FORM.test(token)) return false;
  const secrets = changesIds(state) ? secretsOf(state.data.get(CSRF_FIELD, true)) : secretsOf([state.id]);
  return secrets.some((secret) => equalInConstantTime(tokenOf(secret, token.slice(0, SALT_LENGTH)), token));
}
