import type { SessionCause } from "./cause.ts";
import type { EpochMilliseconds } from "./units.ts";

/** What a request brings along: an id whose signature held, or the reason why there is none. */
export type Presented =
  | {
      readonly id: string;
      /** The session's start as signed, or `null` where the cookie's format has none. */
      readonly startedAt: EpochMilliseconds | null;
      /** To be written again: signed by an older key, or in another accepted format. */
      readonly stale: boolean;
    }
  | {
      readonly id: null;
      readonly cause: Extract<
        SessionCause,
        "none" | "malformed" | "bad-signature" | "unknown-key" | "unknown" | "expired-absolute"
      >;
    };

/** Calls back when a request's connection is over, or its response. */
export type OnClose = (listener: () => void) => void;

/** The transport of one request, as the core needs it. */
export interface Carrier {
  /** Asked once, at the first access. Never throws. */
  present(now: EpochMilliseconds): Presented;
  /** The session is used for the first time: whatever must happen before the headers leave is installed now. */
  touched(): void;
  /** Where the transport can tell. */
  readonly onClose?: OnClose | undefined;
  /** The client has left: nobody would learn of a new id. */
  readonly closed?: boolean | undefined;
}
