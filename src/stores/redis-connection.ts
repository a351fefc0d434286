/** A connection that hears one channel. It ends with its first fault: who listens opens another. */
export interface RedisConnection {
  /** Resolves when it listens. `onEnd` is called once, when it does no longer, unless it was closed. */
  open(channel: string, onMessage: (message: string) => void, onEnd: () => void): Promise<void>;
  /** Resolves when the server answers. */
  ping(): Promise<unknown>;
  close(): void;
}

/** A plain `ioredis` connection. */
export interface IoredisPlain {
  connect(): Promise<unknown>;
  subscribe(channel: string): Promise<unknown>;
  ping(): Promise<unknown>;
  on(event: string, listener: (...args: never[]) => void): unknown;
  disconnect(): void;
}

export class IoredisConnection implements RedisConnection {
  readonly #client: IoredisPlain;

  constructor(client: IoredisPlain) {
    this.#client = client;
  }

  async open(channel: string, onMessage: (message: string) => void, onEnd: () => void): Promise<void> {
    const client = this.#client;
    // Without a listener an error would be printed, or thrown.
    client.on("error", () => undefined);
    client.on("message", (_channel: string, message: string) => onMessage(message));
    await client.connect();
    client.on("close", onEnd);
    await client.subscribe(channel);
  }

  ping(): Promise<unknown> {
    return this.#client.ping();
  }

  close(): void {
    this.#client.disconnect();
  }
}

/** A plain node-redis connection. */
export interface NodeRedisPlain {
  connect(): Promise<unknown>;
  subscribe(channel: string, listener: (message: string) => void): Promise<unknown>;
  ping(): Promise<unknown>;
  on(event: string, listener: (...args: never[]) => void): unknown;
  destroy(): void;
}

export class NodeRedisConnection implements RedisConnection {
  readonly #client: NodeRedisPlain;
  #closed = false;

  constructor(client: NodeRedisPlain) {
    this.#client = client;
  }

  async open(channel: string, onMessage: (message: string) => void, onEnd: () => void): Promise<void> {
    const client = this.#client;
    await new Promise<void>((resolve, reject) => {
      // It would go on trying by its own strategy: the first fault is the end here.
      client.on("error", reject);
      client.connect().then(() => resolve(), reject);
    });
    const end = (): void => {
      if (!this.#closed) onEnd();
    };
    client.on("reconnecting", end);
    client.on("end", end);
    await client.subscribe(channel, onMessage);
  }

  ping(): Promise<unknown> {
    return this.#client.ping();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    try {
      this.#client.destroy();
    } catch {
      // It was not open any more.
    }
  }
}
