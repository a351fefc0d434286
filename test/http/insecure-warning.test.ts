import { describe, expect, it } from "vitest";
import { createSessions } from "../../src/create-sessions.ts";

const secretKey = "a secret of more than thirty-two bytes";
const proxied = /X-Forwarded-Proto says https, but no proxy is trusted/;

describe("a cookie over a connection that does not count as encrypted", () => {
  it.each<[boolean | "auto", string | undefined, RegExp[]]>([
    [true, undefined, [/is Secure and a request came unencrypted/]],
    [true, "http", [/is Secure and a request came unencrypted/]],
    [true, "https", [/is Secure and the connection is not known/, proxied]],
    ["auto", "https", [/is sent without Secure/, proxied]],
    ["auto", "HTTPS , http", [/is sent without Secure/, proxied]],
    ["auto", undefined, []],
    ["auto", "http", []],
    ["auto", "http, https", []],
    ["auto", "httpsx", []],
    ["auto", "xhttps", []],
    [false, "http", []],
  ])("with secure: %j and X-Forwarded-Proto %s is warned about once: %j", (secure, proto, parts) => {
    const lines: string[] = [];
    const logger = { debug() {}, info() {}, warn: (line: string) => void lines.push(line), error() {} };
    const { http } = createSessions({ secretKey, logger, secure });
    http.warnInsecure(proto);
    http.warnInsecure(proto);
    expect(lines).toHaveLength(parts.length > 0 ? 1 : 0);
    for (const part of parts) expect(lines[0]).toMatch(part);
  });
});
