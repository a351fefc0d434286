/**
 * Sends requests to a server without a network: real `IncomingMessage` and `ServerResponse` objects on a socket that
 * swallows bytes. Microseconds that a loopback connection hides in its noise show here.
 */
import { IncomingMessage, ServerResponse } from "node:http";
import { Duplex } from "node:stream";

class Socket extends Duplex {
  received = "";

  constructor() {
    super({ decodeStrings: false });
  }
  _read() {}
  _write(chunk, _encoding, done) {
    this.received += chunk;
    done();
  }
  _writev(chunks, done) {
    for (const { chunk } of chunks) this.received += chunk;
    done();
  }
}

/** One for each request under way. */
const free = [];

function freeSocket() {
  const socket = free.pop() ?? new Socket();
  socket.setMaxListeners(0);
  return socket;
}

/** One request. Answers the raw response. */
export function exchange(server, path, cookie) {
  return new Promise((resolve) => {
    const socket = freeSocket();
    const request = new IncomingMessage(socket);
    request.method = "GET";
    request.url = path;
    request.httpVersion = "1.1";
    request.httpVersionMajor = request.httpVersionMinor = 1;
    // As the parser does: from `rawHeaders` alone no `headers` would be made.
    const headers = cookie === undefined ? ["Host", "127.0.0.1"] : ["Host", "127.0.0.1", "Cookie", cookie];
    request._addHeaderLines(headers, headers.length);
    const response = new ServerResponse(request);
    response.assignSocket(socket);
    response.on("finish", () => {
      response.detachSocket(socket);
      const { received } = socket;
      socket.received = "";
      free.push(socket);
      resolve(received);
    });
    server.emit("request", request, response);
    request.complete = true;
    request.push(null);
  });
}

let turn = 0;

/** `count` requests one after the other. Answers CPU µs a request; throws at the first wrong answer. */
export async function batch(server, { path, cookie, body }, cookies, count) {
  const start = cpuMicros();
  for (let sent = 0; sent < count; sent++) {
    const answer = await exchange(server, path, cookie ? cookies[(turn += 1) % cookies.length] : undefined);
    if (!answer.startsWith("HTTP/1.1 200") || !answer.endsWith(body)) throw new Error(`${path} answered ${answer}`);
  }
  return (cpuMicros() - start) / count;
}

/** CPU time of all threads of this process so far: waiting for a busy core does not count. */
export function cpuMicros() {
  const { user, system } = process.cpuUsage();
  return user + system;
}
