/** The secrets of form tokens lie beside the data, and no name that a client chose may reach them. */
import { describe, expect, it } from "vitest";
import { deriveKey } from "../../src/core/crypto.ts";
import { verifyCsrf } from "../../src/core/csrf-token.ts";
import type { DefaultData, Session } from "../../src/core/session-types.ts";
import { createSessions, type Sessions } from "../../src/create-sessions.ts";
import { MemoryStore } from "../../src/stores/memory.ts";
import { Browser } from "../support/browser.ts";

const secretKey = "a secret of these tests, which everybody can read";
const CONFIGURATIONS = [{ rotateEvery: 900 }, {}];

/** Names under which the secrets might be found. */
async function namesOf(sessions: Sessions): Promise<string[]> {
  const { visit } = await new Browser(sessions).visit((session) => session.csrfToken());
  const found = await sessions.config.store.load(visit.exchange.state.key as string, Date.now());
  if (found?.kind !== "session") throw new Error("no session");
  const stored = Object.keys(found.fields);
  expect(stored).toHaveLength(1);
  const short = stored.map((name) => name.replace(/^__flash__\./, ""));
  return [...new Set([...stored, ...short, ...stored.map((name) => `__flash__.${name}`), "\u0000csrf", "csrf"])];
}

/** What takes a name and a value. Some of them throw. */
const WRITES: Record<string, (session: Session<DefaultData>, name: string, value: unknown) => unknown> = {
  set: (session, name, value) => session.set(name, value),
  "an assignment": (session, name, value) => void (session[name] = value),
  "an assignment to data": (session, name, value) => void (session.data[name] = value),
  flash: (session, name, value) => session.flash(name, value),
  update: (session, name, value) => session.update(name, () => value),
  append: (session, name, value) => session.append(name, ...(value as unknown[])),
  delete: (session, name) => session.delete(name),
  "the operator delete": (session, name) => delete session[name],
  "the operator delete on data": (session, name) => delete session.data[name],
  "flash, which reads once": (session, name) => session.flash(name),
};

function attempt<R>(act: () => R): R | undefined {
  try {
    return act();
  } catch (error) {
    if ((error as { code?: unknown }).code === "ERR_SESSION_VALUE") return undefined;
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}

describe.for(CONFIGURATIONS)("the secret of form tokens, with %j", (options) => {
  const sessions = createSessions({ secretKey, store: new MemoryStore(), logLevel: "silent", ...options });

  it.for(Object.entries(WRITES))("is neither replaced nor removed by %s", async ([, write]) => {
    for (const name of await namesOf(sessions)) {
      const browser = new Browser(sessions);
      const { result: token } = await browser.visit((session) => session.csrfToken());
      await browser.visit((session) => attempt(() => write(session, name, ["known"])));
      const salt = "A".repeat(24);
      const forged = salt + deriveKey("known", `fastsession csrf token v1 ${salt}`);
      const { result } = await browser.visit((session) => [verifyCsrf(session, token), verifyCsrf(session, forged)]);
      expect([name, result]).toEqual([name, [true, false]]);
    }
  });

  it("is read by nothing", async () => {
    for (const name of await namesOf(sessions)) {
      const browser = new Browser(sessions);
      await browser.visit((session) => session.csrfToken());
      const { result } = await browser.visit((session) => [
        session.get(name),
        session[name],
        session.data[name],
        session.getSession()[name],
        session.has(name),
        name in session,
        Object.keys(session),
        session.toJSON(),
        attempt(() => session.flash(name)),
      ]);
      expect(result).toEqual([undefined, undefined, undefined, undefined, false, false, [], {}, undefined]);
    }
  });

  it("is refused by name, with the remedy", async () => {
    const [stored = ""] = await namesOf(sessions);
    const browser = new Browser(sessions);
    await expect(browser.visit((session) => session.set(stored, 1))).rejects.toMatchObject({
      code: "ERR_SESSION_VALUE",
      path: stored,
      message: expect.stringContaining("use another name"),
    });
  });
});
