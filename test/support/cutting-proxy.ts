/**
 * A TCP proxy on a free port of this machine that breaks what it is told to: it cuts a connection after an exact number
 * of bytes, swallows everything without an answer, holds answers back, delays, refuses. It also counts bytes and round
 * trips.
 *
 * Knows no protocol, so it stands in front of any server.
 */
import { createServer, connect, type AddressInfo, type Socket } from "node:net";
import { once } from "node:events";

/** As seen by the client: what it asks, what it is answered. */
export type Direction = "toServer" | "toClient";

type Mode = "pass" | "hang" | "refuse";

interface Pair {
  readonly client: Socket;
  readonly server: Socket;
  last: Direction;
}

export interface ProxyCounts {
  readonly toServer: number;
  readonly toClient: number;
  /** How often a client began to speak after it had been answered, over all connections. */
  readonly roundTrips: number;
  /** Connections opened, also those that are closed. */
  readonly connections: number;
}

export class CuttingProxy {
  readonly #target: number;
  readonly #pairs = new Set<Pair>();
  readonly #listener = createServer({ allowHalfOpen: true }, (client) => this.#accept(client));
  #mode: Mode = "pass";
  #delay = 0;
  /** Answers wait for it. */
  #gate: { readonly opened: Promise<void>; readonly open: () => void } | null = null;
  #cut: { readonly direction: Direction; left: number; readonly done: () => void } | null = null;
  #counts = { toServer: 0, toClient: 0, roundTrips: 0, connections: 0 };

  /** @param port of the server behind, on this machine */
  constructor(port: number) {
    this.#target = port;
  }

  /** Starts a proxy in front of a port of this machine. */
  static async before(port: number): Promise<CuttingProxy> {
    const proxy = new CuttingProxy(port);
    proxy.#listener.listen(0, "127.0.0.1");
    await once(proxy.#listener, "listening");
    return proxy;
  }

  get port(): number {
    return (this.#listener.address() as AddressInfo).port;
  }

  /** Connections that are open now. */
  get open(): number {
    return this.#pairs.size;
  }

  get counts(): ProxyCounts {
    return { ...this.#counts };
  }

  /** Begins to count anew. */
  resetCounts(): void {
    this.#counts = { toServer: 0, toClient: 0, roundTrips: 0, connections: 0 };
    // What a client says next is the beginning of a round trip, whoever spoke last.
    for (const pair of this.#pairs) pair.last = "toClient";
  }

  /**
   * Lets exactly so many more bytes through in one direction, over all connections, and then cuts the connection they
   * were on: once. 0 cuts at the next byte, which does not arrive.
   *
   * @returns a promise that resolves when the cut happened
   */
  cutAfter(direction: Direction, bytes: number): Promise<void> {
    return new Promise((done) => {
      this.#cut = { direction, left: bytes, done };
    });
  }

  /** Takes a cut back that has not happened. */
  keepWhole(): void {
    this.#cut = null;
  }

  /** Cuts every connection that is open now. */
  cutAll(): void {
    for (const pair of this.#pairs) this.#destroy(pair);
  }

  /** Accepts from now on, and passes nothing on, in neither direction, also on connections that are open. */
  hang(): void {
    this.#mode = "hang";
  }

  /** Closes every connection, and each new one at once. */
  refuse(): void {
    this.#mode = "refuse";
    this.cutAll();
  }

  /**
   * Works again for new connections. What was swallowed is lost, so connections that hung are cut: going on with one
   * would be a fault that no network has.
   */
  pass(): void {
    if (this.#mode === "hang") this.cutAll();
    this.#mode = "pass";
  }

  /** Holds each chunk back for so many milliseconds, in each direction. */
  delay(milliseconds: number): void {
    this.#delay = milliseconds;
  }

  /** Keeps what servers answer from now on, until `release()`: they hear everything and seem to be silent. */
  hold(): void {
    if (this.#gate !== null) return;
    let open = (): void => undefined;
    const opened = new Promise<void>((resolve) => (open = resolve));
    this.#gate = { opened, open };
  }

  /** Delivers what was held, in order, and what comes after it. */
  release(): void {
    this.#gate?.open();
    this.#gate = null;
  }

  async close(): Promise<void> {
    this.#listener.close();
    this.cutAll();
    await once(this.#listener, "close");
  }

  #accept(client: Socket): void {
    if (this.#mode === "refuse") {
      client.destroy();
      return;
    }
    const server = connect({ port: this.#target, host: "127.0.0.1", allowHalfOpen: true });
    const pair: Pair = { client, server, last: "toClient" };
    this.#pairs.add(pair);
    this.#counts.connections += 1;
    for (const socket of [client, server]) socket.setNoDelay(true).on("error", () => this.#destroy(pair));
    this.#relay(pair, "toServer", client, server);
    this.#relay(pair, "toClient", server, client);
  }

  #relay(pair: Pair, direction: Direction, from: Socket, to: Socket): void {
    // One chunk after another keeps their order.
    let queue = Promise.resolve();
    let waiting = 0;
    from.on("data", (chunk: Buffer) => {
      if (this.#mode === "hang") return;
      const delay = this.#delay;
      const gate = direction === "toClient" ? this.#gate : null;
      if (delay === 0 && gate === null && waiting === 0) return this.#send(pair, direction, chunk, to);
      waiting += 1;
      const due = Promise.all([gate?.opened, new Promise((resolve) => setTimeout(resolve, delay))]);
      queue = queue
        .then(() => due)
        .then(() => {
          waiting -= 1;
          this.#send(pair, direction, chunk, to);
        });
    });
    from.on("end", () => {
      if (this.#mode !== "hang") void queue.then(() => to.end());
    });
    from.on("close", () => void queue.then(() => this.#destroy(pair)));
  }

  #send(pair: Pair, direction: Direction, chunk: Buffer, to: Socket): void {
    if (this.#mode === "hang" || to.destroyed) return;
    const cut = this.#cut?.direction === direction ? this.#cut : null;
    const part = cut === null ? chunk : chunk.subarray(0, cut.left);
    if (direction === "toServer" && pair.last === "toClient") this.#counts.roundTrips += 1;
    pair.last = direction;
    this.#counts[direction] += part.length;
    if (cut === null || chunk.length <= cut.left) {
      if (cut !== null) cut.left -= chunk.length;
      to.write(chunk);
      return;
    }
    this.#cut = null;
    // The part must arrive before the end does: both sockets close when it has been handed to the kernel.
    const end = (): void => {
      to.end();
      this.#destroy(pair, to);
      cut.done();
    };
    if (part.length === 0) end();
    else to.write(part, end);
  }

  /** Ends both sockets; `flushed` closes by itself, in good order. */
  #destroy(pair: Pair, flushed?: Socket): void {
    if (!this.#pairs.delete(pair)) return;
    for (const socket of [pair.client, pair.server]) {
      if (socket === flushed) socket.destroySoon();
      else socket.destroy();
    }
  }
}
