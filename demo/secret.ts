import { randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";

/** The secret in a file, which is made at the first start and readable by its owner alone. */
export function secretFrom(file: string): string {
  try {
    // Fails where the file exists, so that of two servers starting at once both use the same.
    writeFileSync(file, randomBytes(32).toString("base64url"), { flag: "wx", mode: 0o600 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
  return readFileSync(file, "utf8");
}
