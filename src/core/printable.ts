/** Text as it may stand in a message or a log: nobody's name of a field can end a line, hide or colour what follows. */

const UNSEEN = /[\p{Cc}\p{Zl}\p{Zp}\p{Cf}]/gu;
const SHORT: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };
const PLACE = "    at ";

/** Control, separating and formatting characters are written as JavaScript escapes. */
export function printable(text: string): string {
  return text.replace(UNSEEN, (character) => SHORT[character] ?? escapeOf(character.codePointAt(0) as number));
}

/** In quotes, for a name in a message. */
export function quoted(text: string): string {
  return printable(JSON.stringify(text));
}

/** An error with its stack: one line for what it says, whatever that is, and one for each place. Of others the type. */
export function printableError(error: unknown): string {
  if (!(error instanceof Error)) return typeof error;
  const { message, name, stack } = error;
  if (typeof stack !== "string") return printable(name);
  // The stack begins with the message, which may look like a place.
  const places = stack.indexOf(`\n${PLACE}`, Math.max(0, stack.indexOf(message)) + message.length);
  if (places === -1) return printable(stack);
  const lines = stack.slice(places + 1).split("\n");
  const below = lines.map((line) => (line.startsWith(PLACE) ? "\n" : "\\n") + printable(line));
  return printable(stack.slice(0, places)) + below.join("");
}

function escapeOf(code: number): string {
  const hex = code.toString(16);
  return code > 0xffff ? `\\u{${hex}}` : `\\u${hex.padStart(4, "0")}`;
}
