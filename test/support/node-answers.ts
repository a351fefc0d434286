/** How tests answer with Node's own response: by every way that Node has to set a cookie and to send a body. */
import type { AddressInfo } from "node:net";
import { PassThrough } from "node:stream";
import type { Server, ServerResponse } from "node:http";
import type { AdapterAnswer, AdapterServer } from "../../src/testing/index.ts";

type Headers = Record<string, string | string[]>;

/** Ways that act when they are called. */
const early: Record<string, (response: ServerResponse, line: string) => unknown> = {
  setHeader: (response, line) => response.setHeader("Set-Cookie", line),
  "setHeader with a list": (response, line) => response.setHeader("set-cookie", [line]),
  appendHeader: (response, line) => response.appendHeader("Set-Cookie", line),
  setHeaders: (response, line) => response.setHeaders(new Map([["set-cookie", [line]]])),
};

/** Ways that act when the headers are written. */
const late: Record<string, (response: ServerResponse, status: number, headers: Headers, line: string) => unknown> = {
  "writeHead with an object": (response, status, headers, line) =>
    response.writeHead(status, { ...headers, "Set-Cookie": line }),
  "writeHead with a reason": (response, status, headers, line) =>
    response.writeHead(status, "Fine", { ...headers, "set-cookie": [line] }),
  "writeHead with null for a reason": (response, status, headers, line) =>
    response.writeHead(status, null as never, { ...headers, "Set-Cookie": line }),
  "writeHead with a flat list": (response, status, headers, line) =>
    response.writeHead(status, [...Object.entries(headers).flat(), "Set-Cookie", line]),
  "writeHead with pairs": (response, status, headers, line) =>
    response.writeHead(status, [...Object.entries(headers), ["Set-Cookie", line]] as never),
};

export const nodeCookieWays: readonly string[] = [...Object.keys(early), ...Object.keys(late)];

/** One response, and what its handler wants its headers to say. */
export class NodeAnswer {
  readonly #response: ServerResponse;
  #late: readonly [way: string, line: string] | null = null;

  constructor(response: ServerResponse) {
    this.#response = response;
  }

  /** Whether a cookie waits for `writeHead`. */
  get pending(): boolean {
    return this.#late !== null;
  }

  setCookie(way: string, line: string): void {
    const set = early[way];
    if (set === undefined) this.#late = [way, line];
    else set(this.#response, line);
  }

  send({ status = 200, headers = {}, redirect, body, stream }: AdapterAnswer): void {
    const response = this.#response;
    if (redirect !== undefined) response.writeHead(302, { ...headers, location: redirect });
    else if (this.#late !== null) late[this.#late[0]]?.(response, status, headers, this.#late[1]);
    else {
      response.statusCode = status;
      for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    }
    if (stream === undefined) return void response.end(body);
    stream((text) => response.write(text)).then(
      () => response.end(),
      () => response.destroy(),
    );
  }
}

/** The same body as a readable stream, for frameworks that pipe it. */
export function piped(stream: NonNullable<AdapterAnswer["stream"]>): PassThrough {
  const body = new PassThrough();
  stream((text) => body.write(text)).then(
    () => body.end(),
    (error: unknown) => body.destroy(error as Error),
  );
  return body;
}

/** Listens on a free port of the loopback interface. */
export async function listen(server: Server): Promise<AdapterServer> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}
