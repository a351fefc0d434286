declare module "express-session" {
  import type { RequestHandler } from "express";

  type Callback = (error?: unknown, session?: unknown) => void;

  export interface SessionData {
    [name: string]: unknown;
  }
  export abstract class Store {
    abstract get(id: string, callback: Callback): void;
    abstract set(id: string, session: SessionData, callback?: Callback): void;
    abstract destroy(id: string, callback?: Callback): void;
  }
  export class MemoryStore extends Store {
    readonly sessions: Record<string, string>;
    get(id: string, callback: Callback): void;
    set(id: string, session: SessionData, callback?: Callback): void;
    destroy(id: string, callback?: Callback): void;
  }
  export default function session(options: object): RequestHandler;
}

declare module "connect-pg-simple" {
  import type { Store } from "express-session";
  export default function connect(session: unknown): new (options: object) => Store & { close(): Promise<void> };
}
