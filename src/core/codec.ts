/**
 * Turns a field's value into text and back. Belongs to the core, once, for every store.
 *
 * `decode(encode(value))` equals `value`, or `encode` throws `ERR_SESSION_VALUE` with the path: nothing is altered in
 * silence. Both are pure and synchronous. The text is JSON, so that a store's data can be queried.
 */
export interface Codec {
  /**
   * @param limit `maxFieldBytes`. A longer text is refused in any case: a codec that sees early on that it comes to one
   * may refuse the value itself
   * @throws FastSessionError `ERR_SESSION_VALUE`, `ERR_SESSION_TOO_LARGE` (too deep)
   */
  encode(value: unknown, field: string, limit?: number): string;
  /**
   * @throws any error when the text is not of this codec: the session counts as corrupt and is ended. FastSessionError
   * `ERR_SESSION_UNAVAILABLE` when a newer version wrote it: whoever reads the field gets a 503, and nothing is ended
   */
  decode(text: string): unknown;
  /** Refuses a value that `encode` would refuse, without making the text: the error comes from the line that sets it. */
  check(value: unknown, field: string): void;
}
