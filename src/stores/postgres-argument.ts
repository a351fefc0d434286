/** What a function in the database is given. */
export type Argument = string | number | boolean | null | undefined | readonly (string | null)[];

/** An argument in PostgreSQL's text form. */
export function toParameter(argument: Argument): string | null {
  if (argument === null || argument === undefined) return null;
  return typeof argument === "object" ? `{${argument.map(quoted).join(",")}}` : String(argument);
}

function quoted(text: string | null): string {
  return text === null ? "NULL" : `"${text.replace(/["\\]/g, "\\$&")}"`;
}
