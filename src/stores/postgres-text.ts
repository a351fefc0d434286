/** What a function in the database is given. */
export type Argument = string | number | boolean | null | undefined | readonly (string | null)[];

/** Begins a text that is kept as JSON (ASCII's record separator). */
const ESCAPE = "\x1e";

/** ES2024; every supported runtime has it. */
interface WellFormed {
  isWellFormed(): boolean;
}

/**
 * Any JavaScript string as a text that PostgreSQL keeps: it has no U+0000, and clients replace lone surrogates. Such a
 * string is kept as JSON behind a mark; all others, JSON included, as they are.
 */
export function toText(value: string): string {
  if (typeof value !== "string")
    throw new TypeError("a field's name and text are strings: fields are encoded by the core");
  const plain = !value.includes("\0") && !value.startsWith(ESCAPE) && (value as unknown as WellFormed).isWellFormed();
  return plain ? value : ESCAPE + JSON.stringify(value);
}

export function fromText(text: string): string {
  return text.startsWith(ESCAPE) ? (JSON.parse(text.slice(1)) as string) : text;
}

/** Sets a property, also one whose assignment would set the object's prototype and store nothing. */
export function put<Text>(fields: Record<string, Text>, name: string, text: Text): void {
  if (name === "__proto__") Object.defineProperty(fields, name, { value: text, enumerable: true, configurable: true });
  else fields[name] = text;
}

/** An argument in PostgreSQL's text form. */
export function toParameter(argument: Argument): string | null {
  if (argument === null || argument === undefined) return null;
  return typeof argument === "object" ? `{${argument.map(quoted).join(",")}}` : String(argument);
}

function quoted(text: string | null): string {
  return text === null ? "NULL" : `"${text.replace(/["\\]/g, "\\$&")}"`;
}
