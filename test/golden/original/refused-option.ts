import { type Config, secretsOf } from "./transcript.ts";

/** RFC 9110, 5.6.2. */
const TOKEN = /^[!#$%&'*+.^_`|~\w-]+$/;

type Check = (value: unknown, config: Config) => boolean;

/** By the name in the record: our name for it, and what it may be. */
const options: Readonly<Record<string, readonly [name: string, check: Check]>> = {
  secret_key: ["secretKey", isSecret],
  max_age: ["maxAge", (value) => Number.isSafeInteger(value) && (value as number) >= 0],
  session_cookie: ["sessionCookie", (value) => typeof value === "string" && TOKEN.test(value)],
  http_only: ["httpOnly", isBoolean],
  secure: ["secure", (value, config) => isBoolean(value) && (value === true || !isPrefixed(config["session_cookie"]))],
  session_object: ["sessionObject", (value) => typeof value === "string" && value !== ""],
  skip_session_header: ["skipSessionHeader", (value) => value === null || [value].flat().every(isSkipRule)],
};

/** Our name of the option for which a configuration has to be refused, or `null`. */
export function refusedOption(config: Config): string | null {
  for (const [recorded, [name, holds]] of Object.entries(options)) {
    if (recorded in config && !holds(config[recorded], config)) return name;
  }
  return null;
}

function isSecret(value: unknown): boolean {
  const secrets = secretsOf({ secret_key: value });
  return secrets.length > 0 && secrets.length === [value].flat().length && secrets.every(({ length }) => length > 0);
}

function isBoolean(value: unknown): boolean {
  return typeof value === "boolean";
}

/** Browsers take these over TLS alone. RFC 6265bis, 4.1.3. */
function isPrefixed(name: unknown): boolean {
  return typeof name === "string" && /^__(host|secure)-/i.test(name);
}

function isSkipRule(rule: unknown): boolean {
  const { header_name, header_value } = (rule ?? {}) as Config;
  return typeof header_name === "string" && header_name !== "" && typeof header_value === "string";
}
