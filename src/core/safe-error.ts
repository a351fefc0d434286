/**
 * What is kept of an error that a client or a store threw. Clients hang the command with its arguments on it, servers quote
 * rows in their messages, and whoever prints the error prints keys and values: so a copy is kept that has neither.
 */

/** How far causes are followed. */
const DEPTH = 4;
const LONGEST = 300;

/** Facts that servers and systems name by words and numbers of their own. */
const FACTS = ["code", "errno", "syscall", "address", "port", "sqlState", "severity", "errcode"];
const WORD = /^[\w.:-]{1,64}$/;

/** Of SQLSTATEs whose messages have values without quotes: data exceptions, and what functions and triggers raise. */
const WITH_VALUES = /^(2[27]|3[89]|45|P0|XX)\w{3}$/;

/** Where a server begins to quote. Behind a letter it is an apostrophe. */
const QUOTE = /(?<![\p{L}\p{N}])["'`]|[\n\r]/u;

/** An id, a key, a hash: 20 characters or more in capitals, small letters and digits. */
const TOKEN = /(?=[\w-]*[a-z])(?=[\w-]*[A-Z])(?=[\w-]*\d)[\w-]{20,}|[\da-f]{8}-?([\da-f]{4}-?){3}[\da-f]{12,}/g;

const PLACE = /^\s+at .{1,400}$/;

type Parts = Readonly<Record<string, unknown>>;

/** The error without anything that could be an id, a key, a token or a value: name, message, code and stack, and its causes. */
export function safeError(error: unknown, depth: number = DEPTH): Error {
  if (typeof error !== "object" || error === null) return new Error(`what was thrown is a ${typeof error}`);
  const { name, message, stack, cause, errors, lastNodeError } = error as Parts;
  const copy = new Error(safeMessage(error as Parts));
  const facts = FACTS.map((fact) => [fact, (error as Parts)[fact]] as const).filter(([, value]) => isFact(value));
  const title = typeof name === "string" && WORD.test(name) ? name : "Error";
  const head = copy.message === "" ? title : `${title}: ${copy.message}`;
  hide(copy, "name", title);
  hide(copy, "stack", [head, ...placesOf(stack, message)].join("\n"));
  Object.assign(copy, Object.fromEntries(facts));
  const reason = cause ?? lastNodeError;
  if (depth === 0) return copy;
  if (reason !== undefined) hide(copy, "cause", safeError(reason, depth - 1));
  if (Array.isArray(errors))
    hide(
      copy,
      "errors",
      errors.slice(0, 8).map((one) => safeError(one, depth - 1)),
    );
  return copy;
}

function safeMessage(error: Parts): string {
  const state = error["sqlState"] ?? error["code"];
  if (typeof state === "string" && WITH_VALUES.test(state)) return `SQLSTATE ${state}, whose message may hold values`;
  const message = typeof error["message"] === "string" ? error["message"] : "";
  const [plain = ""] = message.slice(0, LONGEST).split(QUOTE, 1);
  return `${plain.replace(TOKEN, "…")}${plain.length < message.length ? "…" : ""}`;
}

/** The lines of a stack that name places. A message may look like one. */
function placesOf(stack: unknown, message: unknown): string[] {
  if (typeof stack !== "string") return [];
  const begin = typeof message === "string" ? stack.indexOf(message) : -1;
  const lines = stack.slice(begin === -1 ? 0 : begin + (message as string).length).split("\n");
  return lines.slice(1).filter((line) => PLACE.test(line));
}

function isFact(value: unknown): boolean {
  return (
    typeof value === "number" || (typeof value === "string" && WORD.test(value) && value.replace(TOKEN, "") === value)
  );
}

/** As an error's own are: not enumerable. */
function hide(error: Error, name: string, value: unknown): void {
  Object.defineProperty(error, name, { value, writable: true, configurable: true });
}
