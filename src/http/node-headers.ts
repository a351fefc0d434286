import type { ResponseHeaders } from "./exchange.ts";

/** The response of `node:http` and of the HTTP/2 compatibility API, as far as its headers go. */
export interface NodeHeaderTarget {
  getHeader(name: string): number | string | string[] | undefined;
  setHeader(name: string, value: number | string | readonly string[]): unknown;
}

type HeaderValue = number | string | readonly string[];
type HeaderObject = Record<string, HeaderValue | undefined>;

/** What `writeHead` takes: an object, a flat list of names and values, or a list of pairs. */
export type WriteHeadHeaders = HeaderObject | readonly unknown[] | undefined;

/**
 * The headers of a response that is about to be sent: those set before, and those given to `writeHead`, which replace
 * them. Ours are put where they survive: a given `Set-Cookie` is joined, since Node would let it replace ours.
 */
export class NodeHeaders implements ResponseHeaders {
  readonly #response: NodeHeaderTarget;
  #given: HeaderObject;
  #changed = false;
  readonly #original: WriteHeadHeaders;

  constructor(response: NodeHeaderTarget, given: WriteHeadHeaders) {
    this.#response = response;
    this.#original = given;
    // A list may name a header twice, which Node 20 loses once others were set: as an object each keeps its values.
    this.#given = Array.isArray(given) ? fromList(given) : ((given ?? {}) as HeaderObject);
  }

  /** What to give to `writeHead` instead: the very same where nothing of it had to change. */
  get given(): WriteHeadHeaders {
    return this.#changed ? this.#given : this.#original;
  }

  get(name: string): string | undefined {
    const key = this.#find(name);
    const value = key === undefined ? this.#response.getHeader(name) : this.#given[key];
    return value === undefined ? undefined : Array.isArray(value) ? value.join(", ") : String(value);
  }

  set(name: string, value: string): void {
    const key = this.#find(name);
    if (key === undefined) this.#setBeside(name, value);
    else this.#replace(key, value);
  }

  appendCookie(line: string): void {
    const key = this.#find("set-cookie");
    if (key !== undefined) return this.#replace(key, [...listOf(this.#given[key]), line]);
    const before = this.#response.getHeader("set-cookie");
    this.#setBeside("set-cookie", before === undefined ? line : [...listOf(before), line]);
  }

  #find(name: string): string | undefined {
    return Object.keys(this.#given).find((key) => key.toLowerCase() === name);
  }

  /** Once a header is set on the response, Node takes a given list of pairs no longer: it has to be an object then. */
  #setBeside(name: string, value: HeaderValue): void {
    this.#response.setHeader(name, value);
    if (Array.isArray(this.#original)) this.#changed = true;
  }

  #replace(key: string, value: HeaderValue): void {
    this.#given = { ...this.#given, [key]: value };
    this.#changed = true;
  }
}

function listOf(value: HeaderValue | undefined): string[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? (value as string[]).map(String) : [String(value)];
}

function fromList(list: readonly unknown[]): HeaderObject {
  const pairs = Array.isArray(list[0])
    ? (list as readonly [string, HeaderValue][])
    : list.flatMap((name, index): [string, HeaderValue][] =>
        index % 2 === 0 ? [[String(name), list[index + 1] as HeaderValue]] : [],
      );
  const headers: HeaderObject = {};
  const spelling = new Map<string, string>();
  for (const [name, value] of pairs) {
    const key = spelling.get(name.toLowerCase());
    if (key === undefined) {
      spelling.set(name.toLowerCase(), name);
      headers[name] = value;
    } else {
      headers[key] = [...listOf(headers[key]), ...listOf(value)];
    }
  }
  return headers;
}
