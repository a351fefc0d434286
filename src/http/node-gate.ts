/**
 * Holds a Node response's first byte until the session is committed.
 *
 * `writeHead`, `write`, `end` and `flushHeaders` are the ways headers leave; `pipe`, `sendFile`, redirects and errors
 * all come through them. 1xx responses are no first byte and pass. With a local store the commit is done within the
 * call and nothing is held. Else the calls queue in order, `headersSent` is true and `write` answers false, as if the
 * headers were out; then they run as they were made.
 */
import { chain, isPromise } from "../core/awaitable.ts";
import { FastSessionError } from "../core/errors.ts";
import type { Awaitable } from "../core/units.ts";
import type { Exchange } from "./exchange.ts";
import { connect, type Gate, gateOf, type Method, type Methods, pretendSent } from "./node-hooks.ts";
import { NodeHeaders, type NodeHeaderTarget, type WriteHeadHeaders } from "./node-headers.ts";

/** The part of `ServerResponse` and `Http2ServerResponse` that is used. */
export interface NodeResponse extends NodeHeaderTarget {
  statusCode: number;
  readonly headersSent: boolean;
  readonly writableEnded: boolean;
  readonly closed?: boolean;
  getHeaderNames(): string[];
  appendHeader(name: string, value: string | readonly string[]): unknown;
  removeHeader(name: string): void;
  emit(event: string): boolean;
  destroy(): unknown;
  on(event: "error", listener: (error: unknown) => void): unknown;
  once(event: "close", listener: () => void): unknown;
  writeHead(...args: unknown[]): unknown;
  write(...args: unknown[]): unknown;
  end(...args: unknown[]): unknown;
  flushHeaders(): void;
}

const WAITING = 0;
const HELD = 1;
const FAILED = 2;
const OPEN = 3;

export class NodeGate implements Gate {
  readonly #exchanges: Exchange[];
  readonly #response: NodeResponse;
  /** Tells the framework's error handler; where there is none, the gate answers itself. */
  readonly #fail: ((error: unknown) => void) | undefined;
  /** The response's own. */
  readonly #methods: Methods;
  #phase: typeof WAITING | typeof HELD | typeof FAILED | typeof OPEN = WAITING;
  #headersWritten = false;
  #ended = false;
  readonly #queue: { method: Method; args: unknown[] }[] = [];
  #stopPretending: (() => void) | null = null;

  /** Holds the response for this session, too: an application may have two. */
  static hold(exchange: Exchange, response: NodeResponse, fail?: (error: unknown) => void): void {
    const gate = (gateOf(response) as NodeGate | undefined) ?? new NodeGate(response, fail);
    if (gate.#phase === WAITING && !response.headersSent) gate.#exchanges.push(exchange);
    else exchange.state.frozen = true;
  }

  private constructor(response: NodeResponse, fail: ((error: unknown) => void) | undefined) {
    this.#exchanges = [];
    this.#response = response;
    this.#fail = fail;
    this.#methods = connect(response, this);
  }

  get held(): boolean {
    return this.#phase === HELD;
  }

  /** Whether `end` was called. */
  get ended(): boolean {
    return this.#ended;
  }

  call(method: Method, args: unknown[]): unknown {
    if (method === "end") this.#ended = true;
    if (this.#phase === WAITING) this.#begin();
    if (this.#phase === OPEN) return this.#pass(method, args);
    // Of a failed response nothing is sent; of a held one it waits its turn.
    if (this.#phase === HELD) this.#queue.push({ method, args });
    return method === "write" ? false : this.#response;
  }

  #begin(): void {
    try {
      const done = this.#commit(0);
      if (!isPromise(done)) return void (this.#phase = OPEN);
      this.#hold();
      // Also what Node throws at a call that was held: there is nobody else left to throw to.
      done.then(() => this.#release()).catch((error: unknown) => this.#failed(error));
    } catch (error) {
      this.#failed(error);
    }
  }

  #hold(): void {
    this.#phase = HELD;
    this.#stopPretending = pretendSent(this.#response);
  }

  #letGo(phase: typeof OPEN | typeof FAILED): void {
    this.#stopPretending?.();
    this.#phase = phase;
  }

  #commit(from: number): Awaitable<void> {
    const exchange = this.#exchanges[from];
    return exchange === undefined ? undefined : chain(exchange.commit(), () => this.#commit(from + 1));
  }

  #writeHeaders(headers: NodeHeaders): void {
    for (const exchange of this.#exchanges) exchange.writeHeaders(headers);
  }

  #release(): void {
    this.#letGo(OPEN);
    let waitsForDrain = false;
    for (const { method, args } of this.#queue.splice(0)) {
      const answer = this.#pass(method, args);
      if (method === "write") waitsForDrain = answer === true;
    }
    if (waitsForDrain && !this.#response.writableEnded) this.#response.emit("drain");
  }

  /** Puts our headers where they survive, just before the headers leave. */
  #pass(method: Method, args: unknown[]): unknown {
    const response = this.#response;
    if (!this.#headersWritten && !response.headersSent) {
      this.#headersWritten = true;
      if (method === "writeHead") args = this.#withHeaders(args);
      else this.#writeHeaders(new NodeHeaders(response, undefined));
    }
    return this.#methods[method].apply(response, args as never[]);
  }

  #withHeaders(args: unknown[]): unknown[] {
    // `writeHead(status[, reason][, headers])`, where `undefined` and `null` may stand for either.
    const index = (args[2] ?? undefined) === undefined ? 1 : 2;
    const given = (typeof args[index] === "object" ? args[index] : null) ?? undefined;
    const headers = new NodeHeaders(this.#response, given as WriteHeadHeaders);
    this.#writeHeaders(headers);
    return headers.given === given ? args : args.with(index, headers.given);
  }

  #failed(error: unknown): void {
    this.#letGo(FAILED);
    const response = this.#response;
    // A stream that is piped goes on writing into a response that has ended.
    response.on("error", () => undefined);
    const fail = this.#fail;
    if (fail === undefined) return this.#answer(error);
    // After the handler's own calls of this turn, which are dropped.
    queueMicrotask(() => {
      // One that has not ended its response would write the rest of it into the error handler's.
      if (!this.#ended) return this.#answer(error);
      this.#phase = OPEN;
      fail(error);
    });
  }

  #answer(error: unknown): void {
    const response = this.#response;
    if (response.headersSent) return void response.destroy();
    const status = error instanceof FastSessionError && error.status === 503 ? 503 : 500;
    (this.#exchanges[0] as Exchange).state.config.log.error(
      `a response could not be sent or its session not be saved (${error instanceof FastSessionError ? error.code : "error"}); the client got ${status}`,
    );
    for (const name of response.getHeaderNames()) response.removeHeader(name);
    response.statusCode = status;
    response.setHeader("content-type", "text/plain; charset=utf-8");
    this.#writeHeaders(new NodeHeaders(response, undefined));
    // By name: `end` would come back through the hook for its headers, and the hook is shut.
    this.#methods.writeHead.call(response, status as never);
    this.#methods.end.call(response, (status === 503 ? "Service Unavailable" : "Internal Server Error") as never);
  }
}
