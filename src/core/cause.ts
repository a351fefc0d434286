/** Why this request's session is what it is. The original's `__cause__`, typed and outside the data. */
export type SessionCause =
  /** No cookie came. Becomes `new` when the session is first saved. */
  | "none"
  /** Created by this request. */
  | "new"
  /** A live session was found. */
  | "resumed"
  | "expired-idle"
  | "expired-absolute"
  /** A well-signed id that the store does not know. */
  | "unknown"
  | "revoked"
  | "rotated"
  | "bad-signature"
  | "malformed"
  /** Signed by a key that is not (or no longer) in the list. */
  | "unknown-key"
  /** The stored record could not be read. */
  | "corrupt"
  /** The store failed and `onStoreError` is `"anonymous"`. */
  | "store-error";
