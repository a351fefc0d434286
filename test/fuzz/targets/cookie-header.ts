import { createSessions } from "../../../src/create-sessions.ts";
import type { SessionOptions } from "../../../src/create-sessions.ts";
import { expressCookie } from "../../../src/http/express-cookie.ts";
import { nativeCookie } from "../../../src/http/native-cookie.ts";
import { pythonCookie } from "../../../src/http/python-cookie.ts";
import { MemoryStore } from "../../../src/stores/memory.ts";
import { Visit } from "../../support/browser.ts";
import { counting } from "../../support/counting-store.ts";
import { bend } from "../random.ts";
import type { Target } from "../target.ts";

interface Header {
  readonly server: number;
  readonly header: string;
}

const secretKey = "a secret of more than thirty-two bytes";
const now = Date.parse("2026-11-23T12:00:00Z");
const ID = "1AAAfuzzfuzzfuzzfuzzfuzzfuzzfuzzfuzz";

const formats: readonly Partial<SessionOptions>[] = [
  { cookieFormat: nativeCookie() },
  { cookieFormat: pythonCookie() },
  { cookieFormat: expressCookie() },
  { acceptCookies: [pythonCookie(), expressCookie()] },
];

/** A server of each format, with the one session whose cookie is bent. */
const servers = formats.map((options) => {
  const { store, calls } = counting(new MemoryStore());
  const sessions = createSessions({ secretKey, store, logLevel: "silent", now: () => now, ...options });
  void store.create(
    { key: ID, fields: { n: "1" }, createdAt: now, lastUsedAt: now, expiresAt: now + 1e9, handle: "h" },
    { operation: "fuzz", now },
  );
  calls.take();
  return { sessions, calls };
});

const values = servers.slice(0, 3).map(({ sessions }) => sessions.http.cookie.format.write(ID, now - 1000));
/** What each server takes: its own, and the last one everybody's. */
const taken = [[0], [1], [2], [0, 1, 2]].map((list) => list.map((index) => values[index] as string));

/** Whether a header has our cookie among the first four of its name: by splitting it, unlike the parser that is tried. */
function holdsOurs({ server, header }: Header): boolean {
  const candidates = header
    .split(";")
    .map((pair) => /^([^=]*)=(.*)$/s.exec(pair))
    .filter((pair) => pair?.[1]?.replace(/^[ \t]+|[ \t]+$/g, "") === "sid")
    .map((pair) => (pair?.[2] ?? "").replace(/^[ \t]+|[ \t]+$/g, "").replace(/^"(.*)"$/s, "$1"))
    .filter((value) => value.length <= 4096);
  const ours = taken[server] as string[];
  const express = ours.includes(values[2] as string) ? decodeURIComponent(values[2] as string) : null;
  return candidates
    .slice(0, 4)
    .some((value) => ours.includes(value) || (express !== null && unescaped(value) === express));
}

function unescaped(value: string): string | null {
  try {
    return decodeURIComponent(value);
  } catch {
    return null;
  }
}

const crumbs = [
  "sid=",
  "; sid=",
  ";sid=",
  "sid",
  "Sid=",
  "$sid=",
  "=sid=",
  "\u00a0sid=",
  "sid\t=",
  ";;;;;;",
  '"',
  " ",
  "\t",
  "\0",
  ".",
  "%",
  "%2E",
  "%s",
  "%3A",
  "s:",
  "s%3A",
  "0",
  "zzzzzzzz",
  "__proto__=",
  "eyJ",
  "\u00ff",
  "\ud800",
  "x".repeat(4097),
  "a=b; ",
];

let round = 0;

/** The Cookie header, to a server of each format. */
export const cookieHeader: Target<Header> = {
  name: "cookie-header",
  seeds: values.flatMap((value, index) => [
    ...servers.map((_, server) => ({ server, header: `sid=${value}` })),
    { server: index, header: `a=b; sid="${value}"; c` },
    { server: 3, header: `sid=x; sid=${values[(index + 1) % 3]}; sid=${value}` },
  ]),
  bend: (random, { header }, seeds) => {
    const server = random.below(servers.length);
    const other = random.oneIn(4) ? random.pick(seeds).header : "";
    return { server, header: bend(random, header, [other, header, ...values], random.oneIn(3) ? undefined : crumbs) };
  },
  check(input) {
    const { sessions, calls } = servers[input.server] as (typeof servers)[0];
    const ours = holdsOurs(input);
    const presented = sessions.http.cookie.read(input.header, now);
    if ((presented.id === ID) !== ours)
      throw new Error(ours ? "refuses its own cookie" : "takes a cookie that is not its own");
    if (presented.id !== null && presented.id !== ID) throw new Error("takes an id that it never gave out");
    // A whole request costs twenty times as much.
    if (round++ % 16 === 0) {
      const visit = new Visit(sessions, undefined);
      visit.exchange.cookieHeader = () => input.header;
      if ((visit.session.get("n") === 1) !== ours) throw new Error("the session is another than the cookie says");
      void visit.exchange.commit();
      const asked = calls.take();
      if (!ours && (asked.length > 0 || visit.exchange.state.cookie !== "keep"))
        throw new Error("asks the store, or answers with a cookie");
    }
    return presented.id === null ? presented.cause : "ours";
  },
};
