/** One secret. A string counts as its UTF-8 bytes. */
export type Secret = string | Uint8Array;

/** A secret or a list of them. Which of a list signs is up to the format; all verify. */
export type SecretKey = Secret | readonly Secret[];

/** The list behind a `secretKey`. `option` names it in the message. */
export function secretList(secretKey: SecretKey, option: string): readonly [Secret, ...Secret[]] {
  const list: readonly unknown[] = Array.isArray(secretKey) ? secretKey : [secretKey];
  if (list.length === 0 || !list.every(isSecret)) {
    throw new TypeError(
      `${option} must be a string, a Uint8Array or a list of these, none of them empty: node -p "crypto.randomBytes(32).toString('base64url')" makes one`,
    );
  }
  return list as [Secret, ...Secret[]];
}

function isSecret(value: unknown): value is Secret {
  return (typeof value === "string" || value instanceof Uint8Array) && value.length > 0;
}
