import { FastSessionError } from "./errors.ts";
import { quoted } from "./printable.ts";
import type { Metadata } from "./session-record.ts";
import { exceeds } from "./text-size.ts";

/** Most bytes, as JSON: lists have it of each session, and `maxSessionBytes` does not count it. */
const MOST_BYTES = 4096;

/**
 * A copy of what a login is listed by.
 *
 * @throws TypeError for what is no string; FastSessionError `ERR_SESSION_TOO_LARGE`
 */
export function checkMetadata(metadata: Metadata): Metadata {
  let length = 0;
  for (const [name, value] of Object.entries(metadata)) {
    if (typeof value !== "string")
      throw new TypeError(`login's metadata holds strings: ${quoted(name)} is a ${typeof value}`);
    length += name.length + value.length;
  }
  // Not first of all: the text of 64 MiB takes a second.
  if (length > MOST_BYTES || exceeds(JSON.stringify(metadata), MOST_BYTES)) {
    throw new FastSessionError(
      "ERR_SESSION_TOO_LARGE",
      `login's metadata has ${MOST_BYTES} bytes at most, as JSON: cut what a client sent, such as its user agent`,
      { path: "metadata" },
    );
  }
  return { ...metadata };
}
