/** Begins a text that is kept as JSON (ASCII's record separator). */
const ESCAPE = "\x1e";

/** ES2024; every supported runtime has it. */
interface WellFormed {
  isWellFormed(): boolean;
}

/**
 * Any JavaScript string as a text that UTF-8 and JSON functions keep: lone surrogates and U+0000 they do not. Such a
 * string is kept as JSON behind a mark; all others, JSON included, as they are.
 */
export function toText(value: string): string {
  const plain = !value.includes("\0") && !value.startsWith(ESCAPE) && (value as unknown as WellFormed).isWellFormed();
  return plain ? value : ESCAPE + JSON.stringify(value);
}

export function fromText(text: string): string {
  return text.startsWith(ESCAPE) ? (JSON.parse(text.slice(1)) as string) : text;
}
