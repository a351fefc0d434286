/** Begins a text that is kept as JSON (ASCII's record separator). */
const ESCAPE = "\x1e";

/** ES2024; every supported runtime has it. */
interface WellFormed {
  isWellFormed(): boolean;
}

/**
 * Any JavaScript string as one that survives UTF-8, in which a lone surrogate has no form: clients would send U+FFFD for
 * each, and two names or two users would become one. Such a string is kept as JSON behind a mark, all others as they are.
 */
export function toText(value: string): string {
  if (typeof value !== "string")
    throw new TypeError("a field's name and text are strings: fields are encoded by the core");
  const plain = (value as unknown as WellFormed).isWellFormed() && !value.startsWith(ESCAPE);
  return plain ? value : ESCAPE + JSON.stringify(value);
}

export function fromText(text: string): string {
  return text.startsWith(ESCAPE) ? (JSON.parse(text.slice(1)) as string) : text;
}
