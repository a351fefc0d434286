export { createSessions, type LiveOptions, type SessionOptions, type Sessions } from "./create-sessions.ts";
export { originalDefaults } from "./original-defaults.ts";

export type { SessionCause } from "./core/cause.ts";
export type { Codec } from "./core/codec.ts";
export { verifyCsrf } from "./core/csrf-token.ts";
export type { EncryptionOptions } from "./core/encryption.ts";
export { FastSessionError, type FastSessionErrorCode } from "./core/errors.ts";
export type { SessionEventName, SessionEvents, SessionListener } from "./core/events.ts";
export { jsonCodec } from "./core/json-codec.ts";
export type { LiveInfo } from "./core/live-info.ts";
export type { Logger, LogLevel } from "./core/logger.ts";
export { serialize, type SerializeOptions } from "./core/serialize.ts";
export type { InferSchema, SchemaMap, StandardSchema } from "./core/schema.ts";
// A star, because only what comes through one can be merged with by `declare module`.
export type * from "./core/session-data.ts";
export type { SessionInfo } from "./core/session-info.ts";
export { RESERVED as reservedNames } from "./core/session-methods.ts";
export type * from "./core/session-record.ts";
export type * from "./core/session-store.ts";
export type {
  DefaultData,
  FastSession,
  LoginOptions,
  ReservedName,
  Session,
  SessionMembers,
} from "./core/session-types.ts";
export type { UserSessions } from "./core/sessions.ts";
export { structuredCodec } from "./core/structured-codec.ts";
export type { Awaitable, EpochMilliseconds, Milliseconds, Seconds } from "./core/units.ts";

export type { CookieFormat, CookieFormatContext, CookieFormatFactory, CookieReading } from "./http/cookie-format.ts";
export type { CsrfOptions } from "./http/csrf-check.ts";
export { expressCookie } from "./http/express-cookie.ts";
export { nativeCookie } from "./http/native-cookie.ts";
export { pythonCookie } from "./http/python-cookie.ts";
export type { SkipHeader, SkipRequest, SkipRule } from "./http/skip-rules.ts";
export { TimedSignatureSerializer } from "./http/timed-signature-serializer.ts";

export { MemoryStore } from "./stores/memory.ts";
export type { SimpleStore } from "./stores/simple.ts";
