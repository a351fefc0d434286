/** Loads examples as their users write them, with the package's name leading to `src`, and serves them. */
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { getRequestListener } from "@hono/node-server";
import { register } from "tsx/esm/api";
import { CookieJar } from "../../src/testing/cookie-jar.ts";

const folder = new URL("../../examples/", import.meta.url);
const loader = register({ namespace: "examples", tsconfig: fileURLToPath(new URL("tsconfig.json", folder)) });

/** Everything an example exports. `app` is what its framework calls an application. */
export async function loadExample(file: string): Promise<{ readonly app?: unknown }> {
  return loader.import(new URL(file, folder).href, import.meta.url);
}

/** What the frameworks' applications have, of which each has some. */
interface AnyApp {
  readonly fetch?: (request: Request) => Promise<Response>;
  readonly callback?: () => RequestListener;
  readonly init?: () => Promise<unknown>;
  readonly ready?: () => Promise<unknown>;
  readonly getHttpServer?: () => Server;
  readonly server?: Server;
}

/** The server of an application of any framework, not yet listening. */
async function serverOf(app: unknown): Promise<Server> {
  if (typeof app === "function" && !("getHttpServer" in app)) return createServer(app as RequestListener);
  const any = app as AnyApp;
  if (any.fetch !== undefined) {
    const answer = getRequestListener(any.fetch);
    return createServer((request, response) => void answer(request, response));
  }
  if (any.callback !== undefined) return createServer(any.callback());
  await any.init?.();
  await any.ready?.();
  return any.getHttpServer?.() ?? any.server ?? (app as Server);
}

/** Serves an application on a free port. */
export async function serveExample(app: unknown): Promise<{ readonly origin: string; close(): Promise<void> }> {
  const server = await serverOf(app);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** A browser's visits to one origin, each answered with its status and text. */
export class Visitor {
  readonly #origin: string;
  readonly #jar: CookieJar = new CookieJar({ trustLoopback: true });

  constructor(origin: string) {
    this.#origin = origin;
  }

  /** What this browser sends to open a WebSocket. */
  get upgrade(): { readonly url: string; readonly headers: Record<string, string> } {
    const cookie = this.#jar.header(new URL(this.#origin)) ?? "";
    return { url: this.#origin.replace("http", "ws"), headers: { origin: this.#origin, cookie } };
  }

  /** A response whose body may still be coming. */
  async open(path: string, init: RequestInit = {}): Promise<Response> {
    const url = new URL(path, this.#origin);
    const headers = new Headers(init.headers);
    const cookie = this.#jar.header(url);
    if (cookie !== undefined) headers.set("cookie", cookie);
    const response = await fetch(url, { ...init, headers, redirect: "manual" });
    this.#jar.receive(url, response.headers.getSetCookie());
    return response;
  }

  async get(path: string, headers: Record<string, string> = {}): Promise<string> {
    return this.#visit(path, { headers });
  }

  async post(path: string, body?: object): Promise<string> {
    const json = { headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
    return this.#visit(path, { method: "POST", ...(body === undefined ? {} : json) });
  }

  /** Sends a form, as a page of this or of another site. */
  async form(path: string, fields: Record<string, string>, site: "same-origin" | "cross-site"): Promise<string> {
    const headers = { "sec-fetch-site": site };
    return this.#visit(path, { method: "POST", headers, body: new URLSearchParams(fields) });
  }

  async #visit(path: string, init: RequestInit): Promise<string> {
    const response = await this.open(path, init);
    return `${response.status} ${await response.text()}`;
  }
}
