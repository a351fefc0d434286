/** What the original did, as recorded: types, and how to read a step. The README.md above describes the file. */
import { createHash, createHmac } from "node:crypto";
import { readFileSync } from "node:fs";

export interface Transcript {
  readonly name: string;
  readonly comment: string;
  /** What the original does here is not to be copied. */
  readonly bug: boolean;
  readonly config: Config;
  readonly store: string;
  readonly steps: readonly Step[];
}
export type Config = Readonly<Record<string, unknown>>;
export interface Step {
  /** In seconds. */
  readonly now: number;
  readonly request: { readonly method: string; readonly path: string; readonly headers: Headers };
  readonly response: {
    /** `null`: the application did not even start. */
    readonly status: number | null;
    readonly headers: Headers;
    readonly body: string | RecordedBody;
  };
  readonly cause: string | null;
  readonly sets_session_cookie: boolean;
  readonly store_size_after: number | null;
  /** `null` where the store was too large to be recorded, or not the original's. */
  readonly store_after: Records | null;
  readonly store_calls?: readonly unknown[];
  readonly note?: string;
}
/** What the application behind needs of a step. */
export type Asked = Pick<Step, "request" | "response" | "store_after">;
export type Records = Readonly<Record<string, { readonly created_at: number; readonly store: Data }>>;
export type Headers = readonly (readonly [name: string, value: string])[];
export type Data = Readonly<Record<string, unknown>>;
export interface RecordedBody {
  readonly has_session: boolean;
  readonly test_counter?: number;
  readonly session_id?: string;
  readonly session?: Data;
}
interface Golden {
  readonly meta: { readonly uuids: readonly string[]; readonly secret: string };
  readonly transcripts: readonly Transcript[];
}

const golden = JSON.parse(
  readFileSync(new URL("../fastsession-python-transcripts.json", import.meta.url), "utf8"),
) as Golden;

export const { meta } = golden;

const ABSENT = { store_size_after: null, store_after: null } as const;

export const transcripts: readonly Transcript[] = golden.transcripts.map((transcript) => ({
  ...transcript,
  steps: transcript.steps.map((step) => ({ ...ABSENT, ...step })),
}));

/** A session's data without what the original hides in it. */
export function dataOf(recorded: Data): Data {
  const { __cause__: _, ...data } = recorded;
  return data;
}

export function cookieName({ config }: Transcript): string {
  return typeof config["session_cookie"] === "string" ? config["session_cookie"] : "sid";
}

/** The values of the session's cookie that a request brings, over all its Cookie fields. */
export function presented(transcript: Transcript, { request }: Step): string[] {
  const fields = request.headers.filter(([name]) => name.toLowerCase() === "cookie").map(([, value]) => value);
  return fields
    .flatMap((field) => field.split(";"))
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${cookieName(transcript)}=`))
    .map((pair) => pair.slice(pair.indexOf("=") + 1).replace(/^"(.*)"$/, "$1"));
}

/** A recorded secret as code has it: bytes stand in the file as `{ hex }`. */
export function secretOf(recorded: unknown): unknown {
  const hex = (recorded as { hex?: unknown } | null | undefined)?.hex;
  return typeof hex === "string" ? Buffer.from(hex, "hex") : recorded;
}

/** The secrets that are texts or bytes; a faulty configuration may have none. */
export function secretsOf(config: Config): (string | Buffer)[] {
  const secrets = [config["secret_key"]].flat().map(secretOf);
  return secrets.filter((secret) => typeof secret === "string" || Buffer.isBuffer(secret));
}

export interface Token {
  readonly payload: string;
  /** In seconds. */
  readonly signedAt: number;
}

/**
 * The token in a cookie's value, if it is to the letter what itsdangerous writes for this secret: the tests' own
 * judgement of which of the original's acceptances are right.
 */
export function tokenIn(transcript: Transcript, value: string): Token | null {
  const [, message = "", payload = "", time = "", signature = ""] = /^((.+)\.([\w-]*))\.([\w-]+)$/.exec(value) ?? [];
  const signed = secretsOf(transcript.config).some((secret) => {
    const key = createHash("sha1").update("itsdangeroussigner").update(secret).digest();
    return createHmac("sha1", key).update(message).digest("base64url") === signature;
  });
  if (!signed) return null;
  return { payload, signedAt: Number(`0x0${Buffer.from(time, "base64url").toString("hex")}`) };
}

export interface SetCookie {
  readonly name: string;
  readonly value: string;
  readonly attributes: readonly string[];
  readonly line: string;
}

export function setCookies(headers: Headers): SetCookie[] {
  return headers
    .filter(([name]) => name.toLowerCase() === "set-cookie")
    .map(([, line]) => {
      const [pair = "", ...attributes] = line.split("; ");
      const at = pair.indexOf("=");
      return { name: pair.slice(0, at), value: pair.slice(at + 1), attributes, line };
    });
}

/** The session's cookie that a recorded response sets. */
export function recordedCookie(transcript: Transcript, { response }: Step): SetCookie | undefined {
  const name = cookieName(transcript);
  return setCookies(response.headers).find(
    (cookie) => cookie.name === name && tokenIn(transcript, cookie.value) !== null,
  );
}

/** Whether the store is the original's own; any other is an application's. */
export const isOnMemory = ({ store }: Transcript): boolean => /^(memory|default)/i.test(store);

/** The method of a custom store that fails, where the comment says so. */
export function brokenMethod({ comment }: Transcript): string | undefined {
  return /\b(has_session_id|create_store|get_store|save_store|gc) raises\b/.exec(comment)?.[1];
}

export const handlerOf = ({ request }: Pick<Step, "request">): string =>
  request.path.split("?", 1)[0]?.split("/").at(-1) ?? "";

export const failed = ({ response }: Step): boolean => response.status === null || response.status >= 500;
