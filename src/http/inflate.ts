/** The only file that touches `node:zlib`. */
import { inflateSync } from "node:zlib";

const MAX_BYTES = 64 * 1024;

/** Unpacks zlib data. Throws for anything else, and for more than 64 KiB in or out: a bomb ends early. */
export function inflate(bytes: Uint8Array): Uint8Array {
  if (bytes.length > MAX_BYTES) throw new RangeError("compressed payload over 64 KiB");
  return inflateSync(bytes, { maxOutputLength: MAX_BYTES });
}
