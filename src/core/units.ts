/** A duration in seconds: the unit of every duration an option takes, as in `Max-Age`. */
export type Seconds = number;

/** A duration in milliseconds: only inside, where timers want it. */
export type Milliseconds = number;

/** An instant in milliseconds since 1970-01-01T00:00:00Z, as `Date.now()` gives it. */
export type EpochMilliseconds = number;

/** A value, or a promise of it: local stores answer without promises. */
export type Awaitable<T> = T | Promise<T>;
