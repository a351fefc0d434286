/** Any JavaScript string as a text that databases and their clients keep as it is. For stores. */

/** Begins a text that is kept as JSON (ASCII's record separator). */
const ESCAPE = "\x1e";

/** ES2024; every supported runtime has it. */
interface WellFormed {
  isWellFormed(): boolean;
}

/**
 * UTF-8 has no form for a lone surrogate: clients would send U+FFFD for each, and two names or two users would become one.
 * PostgreSQL refuses U+0000, drivers of SQLite cut there (`node:sqlite` and `libsql`), MariaDB's JSON functions lose it,
 * and U+001F stands between texts where a store reads several as one. Such a string is kept as JSON behind a mark; all
 * others, JSON included, as they are.
 */
export function toText(value: string): string {
  if (typeof value !== "string")
    throw new TypeError("a field's name and text are strings: fields are encoded by the core");
  const plain =
    !value.includes("\0") &&
    !value.includes("\x1f") &&
    !value.startsWith(ESCAPE) &&
    (value as unknown as WellFormed).isWellFormed();
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
