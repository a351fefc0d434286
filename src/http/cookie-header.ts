/** Longer values are dropped: no browser keeps one. RFC 6265bis, 5.6: name and value together, 4096 octets. */
const MAX_VALUE_LENGTH = 4096;

const TAB = 9;
const SPACE = 32;
const QUOTE = 34;
const SEMICOLON = 59;
const EQUALS = 61;

/**
 * The values of the cookies of exactly this name, in the header's order, at most `limit`. The caller takes the first that
 * verifies: the order says nothing (RFC 6265bis, 4.2.2), and a sibling domain can put its own in front.
 */
export function cookieCandidates(header: string | undefined, name: string, limit = 4): string[] {
  const values: string[] = [];
  if (header === undefined || name === "") return values;
  let start = 0;
  while (values.length < limit) {
    const at = header.indexOf(name, start);
    if (at === -1) break;
    const semicolon = header.indexOf(";", at + name.length);
    const end = semicolon === -1 ? header.length : semicolon;
    // A pair's name is the first hit in it or none, so that the search goes on behind the pair and stays linear.
    const equals = skipBlanks(header, at + name.length);
    if (header.charCodeAt(equals) === EQUALS && opensPair(header, at)) {
      const value = valueBetween(header, equals + 1, end);
      if (value.length <= MAX_VALUE_LENGTH) values.push(value);
    }
    start = end + 1;
  }
  return values;
}

/** Whether only blanks stand between `at` and its pair's beginning: a nameless `=__Host-sid=x` has no name (CVE-2023-23934). */
function opensPair(header: string, at: number): boolean {
  const before = skipBlanksBack(header, at);
  return before === 0 || header.charCodeAt(before - 1) === SEMICOLON;
}

/** One surrounding pair of quotes is taken off. They are no syntax: nothing is unescaped, and a ";" ends the value. */
function valueBetween(header: string, from: number, to: number): string {
  let start = skipBlanks(header, from);
  let end = skipBlanksBack(header, to);
  if (end - start >= 2 && header.charCodeAt(start) === QUOTE && header.charCodeAt(end - 1) === QUOTE) {
    start += 1;
    end -= 1;
  }
  return header.slice(start, end);
}

/** Neither leaves its pair: a ";" is no blank, and what is beyond the header is none, either. */
function skipBlanks(text: string, from: number): number {
  let at = from;
  while (isBlank(text.charCodeAt(at))) at += 1;
  return at;
}

function skipBlanksBack(text: string, from: number): number {
  let at = from;
  while (isBlank(text.charCodeAt(at - 1))) at -= 1;
  return at;
}

/** SP and HTAB, nothing else that Unicode calls blank (CVE-2026-39410). */
function isBlank(code: number): boolean {
  return code === SPACE || code === TAB;
}
