/**
 * A child process: loads a server over keep-alive connections, one request at a time on each, for some milliseconds.
 *
 * While it measures it never sleeps: a server that answers a sleeping client pays for waking the client's core.
 */
import { connect } from "node:net";
import { answerCommands } from "./commands.mjs";

const CONNECTIONS = 64;
const servers = new Map();

/** Opens the connections to a server, and remembers what returning visitors send to it. */
async function prepare({ port, cookies }) {
  const connections =
    servers.get(port)?.connections ?? (await Promise.all(Array.from({ length: CONNECTIONS }, () => open(port))));
  servers.set(port, { connections, cookies });
}

async function burst({ port, path, cookie, body, milliseconds }) {
  const { connections, cookies } = servers.get(port);
  const head = `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n`;
  const requests = cookie ? cookies.map((text) => `${head}Cookie: ${text}\r\n\r\n`) : [`${head}\r\n`];
  const latencies = [];
  let turn = 0;
  let spinning = true;
  const spin = () => spinning && setImmediate(spin);
  spin();
  const start = performance.now();
  const deadline = start + milliseconds;
  const next = () => (performance.now() < deadline ? requests[(turn += 1) % requests.length] : undefined);
  try {
    await Promise.all(connections.map((run) => run(next, body, latencies)));
  } finally {
    spinning = false;
  }
  const seconds = (performance.now() - start) / 1000;
  latencies.sort((one, other) => one - other);
  return { requests: latencies.length, seconds, p99Millis: latencies[Math.floor(latencies.length * 0.99)] };
}

/**
 * A connection, as a function that sends what `next` gives until there is nothing more. It counts bytes: most answers of
 * one burst have the length of the last.
 */
function open(port) {
  return new Promise((resolve, reject) => {
    let arrived = () => undefined;
    let failed = reject;
    const onread = { buffer: Buffer.allocUnsafe(16_384), callback: (size, buffer) => arrived(size, buffer) };
    const socket = connect({ port, host: "127.0.0.1", noDelay: true, onread });
    socket.on("error", (error) => failed(error));
    socket.on("close", () => failed(new Error("the server closed a connection")));
    socket.on("connect", () => resolve(run));

    function run(next, body, latencies) {
      return new Promise((done, fail) => {
        failed = fail;
        let length = 0;
        let received = 0;
        let sentAt = 0;
        const send = () => {
          const request = next();
          if (request === undefined) return done();
          received = 0;
          sentAt = performance.now();
          socket.write(request, "latin1");
        };
        arrived = (size, buffer) => {
          // Sealed and signed cookies differ in length, so the head is read again where an answer does.
          if (received === 0 && size !== length) length = lengthOf(buffer.latin1Slice(0, size));
          received += size;
          if (received < length) return;
          // Some send the last byte by itself.
          const answer = size < body.length ? body : buffer.latin1Slice(size - body.length, size);
          if (received > length || answer !== body || (size === length && buffer[9] !== 0x32)) {
            return fail(new Error(`unexpected answer: ${buffer.latin1Slice(0, size)}`));
          }
          latencies.push(performance.now() - sentAt);
          send();
        };
        send();
      });
    }
  });
}

/** Of a whole response from its head: the servers here send small ones in one piece, with their length. */
function lengthOf(text) {
  const end = text.indexOf("\r\n\r\n");
  const content = /^content-length: (\d+)/im.exec(text)?.[1];
  if (end === -1 || content === undefined) throw new Error(`unexpected answer: ${text}`);
  return end + 4 + Number(content);
}

const commands = { prepare, burst };

answerCommands(commands);
