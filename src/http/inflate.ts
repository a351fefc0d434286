/** The only file that touches `node:zlib`. */
import { inflateSync } from "node:zlib";

const MAX_BYTES = 64 * 1024;

/** Unpacks zlib data. Throws for anything else, and for more than 64 KiB: a bomb ends early. */
export function inflate(bytes: Uint8Array): Uint8Array {
  return inflateSync(bytes, { maxOutputLength: MAX_BYTES });
}
