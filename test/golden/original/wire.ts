import { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { Duplex } from "node:stream";
import type { Headers, Step } from "./transcript.ts";

export interface Received {
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
}

/**
 * Asks a listener of `node:http` and reads the bytes of its response. Without a parser in front, which would refuse
 * some of the bytes that the original was recorded with.
 */
export async function ask(
  listener: (request: IncomingMessage, response: ServerResponse) => void,
  { method, path, headers }: Step["request"],
): Promise<Received> {
  const sent: Buffer[] = [];
  const duplex = new Duplex({
    read() {},
    write(chunk: Buffer, _encoding, done) {
      sent.push(chunk);
      done();
    },
  });
  const socket = Object.assign(duplex, { encrypted: true }) as unknown as Socket;
  const request = new IncomingMessage(socket);
  // In HTTP/1.0 a body has no chunks.
  Object.assign(request, { method, url: path, httpVersionMajor: 1, httpVersionMinor: 0, headers: joined(headers) });
  const response = new ServerResponse(request);
  response.assignSocket(socket);
  const finished = new Promise((resolve) => response.on("finish", resolve).on("close", resolve));
  listener(request, response);
  await finished;
  return parse(Buffer.concat(sent).toString("latin1"));
}

/** As Node joins repeated fields (`message.headers`). */
function joined(headers: Headers): Record<string, string> {
  const fields: Record<string, string> = {};
  for (const [name, value] of headers) {
    const key = name.toLowerCase();
    fields[key] = key in fields ? `${fields[key]}${key === "cookie" ? "; " : ", "}${value}` : value;
  }
  return fields;
}

function parse(bytes: string): Received {
  const end = bytes.indexOf("\r\n\r\n");
  const [statusLine = "", ...lines] = bytes.slice(0, end).split("\r\n");
  return {
    status: Number(statusLine.split(" ")[1]),
    headers: lines.map((line): [string, string] => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    }),
    body: Buffer.from(bytes.slice(end + 4), "latin1").toString(),
  };
}
