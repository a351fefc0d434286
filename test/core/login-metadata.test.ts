/** What a login is listed by: a client's user agent, as a rule, in a place that `maxSessionBytes` does not count. */
import { describe, expect, it } from "vitest";
import { createSessions } from "../../src/create-sessions.ts";
import { MemoryStore } from "../../src/stores/memory.ts";
import { Browser } from "../support/browser.ts";

const sessions = createSessions({
  secretKey: "a secret of more than thirty-two bytes",
  store: new MemoryStore(),
  logLevel: "silent",
});

/** Metadata of that many bytes as JSON. */
function ofBytes(bytes: number, character = "x"): Record<string, string> {
  const { length } = JSON.stringify({ agent: "" });
  const text = character.repeat(Math.floor((bytes - length) / Buffer.byteLength(character)));
  return { agent: text + "x".repeat(bytes - length - Buffer.byteLength(text)) };
}

describe("the metadata of a login", () => {
  it.for(["x", "é", "日", "😀"])("has 4096 bytes at most, as JSON, of %s", async (character) => {
    const most = ofBytes(4096, character);
    expect(Buffer.byteLength(JSON.stringify(most))).toBe(4096);
    const browser = new Browser(sessions);
    await browser.visit((session) => session.login("ann", { metadata: most }));
    expect((await browser.visit((session) => session.info.metadata)).result).toEqual(most);
    const refused = browser.visit((session) => session.login("ann", { metadata: ofBytes(4097, character) }));
    await expect(refused).rejects.toMatchObject({
      code: "ERR_SESSION_TOO_LARGE",
      path: "metadata",
      message: expect.stringMatching(/4096 bytes.*cut/),
    });
  });

  it.for<readonly [string, Record<string, string>]>([
    ["one long text", { agent: "x".repeat(64 << 20) }],
    ["a long name", { ["n".repeat(5000)]: "" }],
    ["many short ones", Object.fromEntries(Array.from({ length: 1000 }, (_, n) => [`n${n}`, ""]))],
    ["characters that JSON escapes", { agent: "\u0000".repeat(1000) }],
  ])("is refused as %s, and nobody is signed in", async ([, metadata]) => {
    const browser = new Browser(sessions);
    await browser.visit((session) => session.set("n", 1));
    const { result } = await browser.visit(async (session) => {
      const refused = session.login("ann", { metadata });
      await expect(refused).rejects.toMatchObject({ code: "ERR_SESSION_TOO_LARGE" });
      return [session.info.userId, session["n"]];
    });
    expect(result).toEqual([null, 1]);
    expect((await browser.visit((session) => [session.info.userId, session["n"]])).result).toEqual([null, 1]);
  });
});
