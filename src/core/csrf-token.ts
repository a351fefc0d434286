/**
 * Tokens for forms, bound to the session's id: whoever cannot read the cookie cannot make one, and a new id ends them.
 *
 * A token is a random beginning and the HMAC-SHA-256 of it under the id, so that no two are alike and a compressed page
 * gives nothing away (BREACH). The id has 192 random bits, and nobody gets from the token back to it.
 */
import { deriveKey, equalInConstantTime, randomText } from "./crypto.ts";
import { stateOf } from "./handle-target.ts";
import { FLASH } from "./recorded-field.ts";
import type { SessionState } from "./session-state.ts";

const SALT_LENGTH = 24;
const FORM = /^[\w-]{67}$/;

/** What an unsaved session is saved for when nothing else is written: the id in its token has to be found again. */
const MARK = `${FLASH}\u0000csrf`;

function tokenOf(id: string, salt: string): string {
  return salt + deriveKey(id, `fastsession csrf token v1 ${salt}`);
}

/** Makes a token for the session as it is now. */
export function csrfToken(state: SessionState): string {
  state.look();
  if (!state.saved) {
    state.writable.set(MARK, true);
    state.reservedId ??= state.config.ids.next();
  }
  return tokenOf(state.id ?? (state.reservedId as string), randomText((SALT_LENGTH / 4) * 3));
}

/**
 * Whether a form's token was made by `session.csrfToken()` of this session, under its present id. Compared in constant
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
  if (state.id === null || typeof token !== "string" || !FORM.test(token)) return false;
  return equalInConstantTime(tokenOf(state.id, token.slice(0, SALT_LENGTH)), token);
}
