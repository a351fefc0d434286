import { quoted } from "./printable.ts";

/** How a place in a session's data is written: `cart.items[2].price`, `cart["a b"]`. Names only, never a value. */

const IDENTIFIER = /^[A-Za-z_$][\w$]*$/;
const LONGEST_PATH = 200;

/** One step down: `.price`, `["a b"]` or `[2]`. Quoted, so that a key cannot forge a log line. */
export function pathStep(key: PropertyKey): string {
  if (typeof key === "number") return `[${key}]`;
  if (typeof key === "symbol") return "[symbol]";
  return IDENTIFIER.test(key) ? `.${key}` : `[${quoted(key)}]`;
}

/** The field, then the steps. Cut after 200 characters: keys can be as long as a client makes them. */
export function joinPath(field: string, steps: readonly string[]): string {
  const path = (IDENTIFIER.test(field) ? field : pathStep(field)) + steps.join("");
  if (path.length <= LONGEST_PATH) return path;
  const cut = path.slice(0, LONGEST_PATH);
  // Never between the halves of a surrogate pair: not every log sink takes a lone one.
  return `${/[\ud800-\udbff]$/.test(cut) ? cut.slice(0, -1) : cut}…`;
}
