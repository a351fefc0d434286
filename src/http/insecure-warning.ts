import type { Log } from "../core/logger.ts";
import { saysHttps } from "./forwarded-proto.ts";

const TRUST = `set Express's "trust proxy", Fastify's trustProxy, Koa's app.proxy, or trustProxy: true elsewhere`;

/**
 * Says once, with the reason, that a cookie goes over a connection that does not count as encrypted. `forwardedProto` is
 * what `X-Forwarded-Proto` says, which was not believed.
 */
export function createInsecureWarning(
  name: string,
  secure: boolean | "auto",
  log: Log,
): (forwardedProto: string | undefined) => void {
  return (forwardedProto) => {
    const behindProxy = saysHttps(forwardedProto);
    if (behindProxy && secure === "auto") {
      log.warnOnce(
        `the cookie ${name} is sent without Secure: X-Forwarded-Proto says https, but no proxy is trusted: ${TRUST}`,
      );
    } else if (behindProxy) {
      log.warnOnce(
        `the cookie ${name} is Secure and the connection is not known to be encrypted: X-Forwarded-Proto says https, but no proxy is trusted: ${TRUST}`,
      );
    } else if (secure === true) {
      log.warnOnce(
        `the cookie ${name} is Secure and a request came unencrypted, so most browsers drop it: serve over TLS; behind a proxy have it send X-Forwarded-Proto, and ${TRUST}; in development use secure: "auto"`,
      );
    }
  };
}
