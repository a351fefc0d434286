/** Skips a request that has this header: `"*"` stands for any value. Names in any case, values exact. */
export interface SkipHeader {
  readonly headerName: string;
  readonly headerValue: string;
}

/** What a skip rule may look at, the same in every framework. */
export interface SkipRequest {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  /** Host and port that the request was sent to. */
  readonly host: string | undefined;
  /** By its name in any case. */
  header(name: string): string | undefined;
}

/** A path (`"/health"`), everything below it (`"/assets/*"`), a pattern for paths, or a function. */
export type SkipRule = string | RegExp | ((request: SkipRequest) => boolean);

type Test = (request: SkipRequest) => boolean;

/** One function out of all rules, or `null` where there are none: then no request pays for them. */
export function createSkip(
  headers: SkipHeader | readonly SkipHeader[] | null | undefined,
  rules: SkipRule | readonly SkipRule[] | undefined,
): Test | null {
  const tests = [...listOf(headers ?? undefined).map(headerTest), ...listOf(rules).map(ruleTest)];
  return tests.length === 0 ? null : (request) => tests.some((test) => test(request));
}

function listOf<T>(one: T | readonly T[] | undefined): readonly T[] {
  if (one === undefined) return [];
  return Array.isArray(one) ? (one as readonly T[]) : [one as T];
}

function headerTest(rule: SkipHeader): Test {
  const { headerName, headerValue } = (rule ?? {}) as Partial<SkipHeader>;
  if (typeof headerName !== "string" || headerName === "" || typeof headerValue !== "string") {
    throw new TypeError(
      'skipSessionHeader takes { headerName, headerValue } or a list of them: use headerValue: "*" for any value',
    );
  }
  if (headerValue === "*") return (request) => request.header(headerName) !== undefined;
  return (request) => request.header(headerName) === headerValue;
}

function ruleTest(rule: SkipRule): Test {
  if (typeof rule === "function") return rule;
  if (rule instanceof RegExp) {
    // Without `g` and `y`, which remember where the last request's match ended.
    const pattern = new RegExp(rule.source, rule.flags.replace(/[gy]/g, ""));
    return (request) => pattern.test(request.path);
  }
  if (typeof rule === "string" && rule.startsWith("/")) {
    if (!rule.endsWith("/*")) return (request) => request.path === rule;
    const below = rule.slice(0, -1);
    return (request) => request.path.startsWith(below);
  }
  throw new TypeError(
    'skip takes a path ("/health", "/assets/*"), a RegExp, a function of the request, or a list of them',
  );
}
