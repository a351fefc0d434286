import type { CookieJar } from "./cookie-jar.ts";

export interface VisitOptions {
  /** @defaultValue "GET" */
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent instead of what the jar holds; `null`: none. */
  readonly cookie?: string | null;
  /** Another site made the browser send it. */
  readonly crossSite?: boolean;
  readonly signal?: AbortSignal;
}

/** A response that has been read. */
export interface Page {
  readonly status: number;
  readonly headers: Headers;
  /** The `Set-Cookie` lines as they came. */
  readonly setCookies: readonly string[];
  readonly text: string;
}

/** A browser on one origin: requests by `fetch`, cookies by a strict jar. It follows no redirect by itself. */
export class Browser {
  readonly origin: string;
  readonly jar: CookieJar;

  constructor(origin: string, jar: CookieJar) {
    this.origin = origin;
    this.jar = jar;
  }

  /** Sends a request and reads the whole response. @throws Error when the response sets a cookie that the jar refuses */
  async visit(path: string, options: VisitOptions = {}): Promise<Page> {
    const response = await this.open(path, options);
    const { status, headers } = response;
    return { status, headers, setCookies: headers.getSetCookie(), text: await response.text() };
  }

  /** The same, answering as soon as the headers are here. */
  async open(path: string, options: VisitOptions = {}): Promise<Response> {
    const { method = "GET", crossSite = false, signal } = options;
    const url = new URL(path, this.origin);
    const cookie = options.cookie === undefined ? this.jar.header(url, { crossSite, method }) : options.cookie;
    const response = await fetch(url, {
      method,
      redirect: "manual",
      headers: { ...options.headers, ...(cookie === null || cookie === undefined ? {} : { cookie }) },
      ...(signal === undefined ? {} : { signal }),
    });
    const [refused] = this.jar.receive(url, response.headers.getSetCookie());
    if (refused !== undefined) throw new Error(`a browser refuses this cookie, as ${refused.reason}: ${refused.line}`);
    return response;
  }
}
