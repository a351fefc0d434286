/** Between names and texts where fields are read as one string (ASCII's unit separator). */
export const SEPARATOR = "\x1f";

/** Begins a text that is kept as JSON (ASCII's record separator). */
const ESCAPE = "\x1e";

/** ES2024; every supported runtime has it. */
interface WellFormed {
  isWellFormed(): boolean;
}

/**
 * Any JavaScript string as a text that SQLite keeps: drivers cut one at U+0000 and replace lone surrogates (both seen in
 * `node:sqlite` and `libsql`). Such a string is kept as JSON behind a mark; all others, JSON included, as they are.
 */
export function toText(value: string): string {
  if (typeof value !== "string")
    throw new TypeError("a field's name and text are strings: fields are encoded by the core");
  const plain =
    !value.includes("\0") &&
    !value.includes(SEPARATOR) &&
    !value.startsWith(ESCAPE) &&
    (value as unknown as WellFormed).isWellFormed();
  return plain ? value : ESCAPE + JSON.stringify(value);
}

export function fromText(text: string): string {
  return text.startsWith(ESCAPE) ? (JSON.parse(text.slice(1)) as string) : text;
}
