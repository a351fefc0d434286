import { printable, printableError } from "./printable.ts";

/** Where messages go: `console`, pino, winston, or anything with these four. */
export interface Logger {
  debug(message: string): void;
  info(message: string): void;
  warn(message: string): void;
  error(message: string): void;
}

export type LogLevel = "debug" | "info" | "warn" | "error" | "silent";

const RANK: Record<LogLevel, number> = { debug: 0, info: 1, warn: 2, error: 3, silent: 4 };

/** The default of the original: standard output, for every level. */
const standardOutput: Logger = {
  debug: (message) => console.log(message),
  info: (message) => console.log(message),
  warn: (message) => console.log(message),
  error: (message) => console.log(message),
};

/** The logger that the library writes to: filtered, prefixed, in single lines, and never able to break a request. */
export class Log {
  readonly #logger: Logger;
  readonly #rank: number;
  readonly #said = new Set<string>();

  constructor(logger: Logger | undefined, level: LogLevel) {
    this.#logger = logger ?? standardOutput;
    this.#rank = RANK[level];
  }

  debug(message: string): void {
    this.#write("debug", message);
  }
  info(message: string): void {
    this.#write("info", message);
  }
  warn(message: string): void {
    this.#write("warn", message);
  }
  error(message: string): void {
    this.#write("error", message);
  }
  /** What a handler threw, with its stack. */
  thrown(message: string, error: unknown): void {
    this.#write("error", message, () => `: ${printableError(error)}`);
  }
  /** Warns once for each distinct message: what is wrong with a set-up is wrong for every request. */
  warnOnce(message: string): void {
    if (this.#said.has(message)) return;
    this.#said.add(message);
    this.warn(message);
  }

  #write(level: Exclude<LogLevel, "silent">, message: string, rest?: () => string): void {
    if (RANK[level] < this.#rank) return;
    try {
      this.#logger[level](`[fastsession] ${printable(message)}${rest?.() ?? ""}`);
    } catch {
      // A logger that throws must not take the request with it.
    }
  }
}
