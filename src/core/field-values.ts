/** Between a field's text and its value. */
import type { FieldTexts } from "./field-texts.ts";
import type { RecorderHost, Step } from "./recorded-field.ts";

/** The value that a stored text stands for; `undefined` where its schema refuses it, or it gives the record up. */
export function decodeField(host: RecorderHost, texts: FieldTexts, field: string, stored: string): unknown {
  const { admit, codec } = host.config;
  const text = texts.open(field, stored);
  let value: unknown;
  try {
    if (text === null) throw new SyntaxError("a stored text does not open");
    value = codec.decode(text);
  } catch {
    host.corrupt(field);
    return undefined;
  }
  return admit === null ? value : admit(field, value, "store");
}

/** The text of a value, as its schema wants it. */
export function encodeField({ admit, codec }: RecorderHost["config"], field: string, value: unknown): string {
  return codec.encode(admit === null ? value : admit(field, value, "handler"), field);
}

/** The value after a step. */
export function applyStep(
  { admit, codec }: RecorderHost["config"],
  field: string,
  current: unknown,
  step: Step,
): unknown {
  const value = step(current);
  if (value === undefined) return undefined;
  codec.check(value, field);
  return admit === null ? value : admit(field, value, "handler");
}
