/** Operations on a field that a save under way assigns, removes or clears: others may be first again by the next one. */
import { describe, expect, it } from "vitest";
import type { DefaultData, Session } from "../../src/core/session-types.ts";
import { createSessions } from "../../src/create-sessions.ts";
import { MemoryStore } from "../../src/stores/memory.ts";
import { HostileStore } from "../../src/testing/hostile-store.ts";
import { Browser } from "../support/browser.ts";

type Act = (session: Session<DefaultData>) => unknown;

interface Outcome {
  readonly data: unknown;
  /** What the request saw at its end. */
  readonly seen: unknown;
}

/** One request does something, saves without waiting, and goes on; another is in between its two commits. */
async function play(before: Act, meanwhile: Act, other: Act, options: { failing?: boolean } = {}): Promise<Outcome> {
  const store = new HostileStore(new MemoryStore(), { local: false });
  const secretKey = "a secret of more than thirty-two bytes";
  const sessions = createSessions({ secretKey, store, logLevel: "silent" });
  const browser = new Browser(sessions);
  await browser.visit((session) => void Object.assign(session, { n: 1, list: [1] }));
  const visit = await browser.start();
  before(visit.session);
  if (options.failing === true) store.fail("commit", Object.assign(new Error("no"), { sent: false }));
  const saving = visit.session.saveSession();
  meanwhile(visit.session);
  await saving.catch(() => undefined);
  store.heal();
  await new Browser(sessions, browser.cookie).visit(other);
  await visit.end();
  const seen = { ...visit.session };
  return { data: (await browser.visit((session) => ({ ...session }))).result, seen };
}

const increment: Act = (session) => session.increment("n", 10);
const append: Act = (session) => session.append("list", 10);

describe("while a save is under way", () => {
  it("an increment of what it assigns counts beside another request's", async () => {
    const { data, seen } = await play((session) => (session["n"] = 5), increment, increment);
    expect(data).toMatchObject({ n: 25 });
    expect(seen).toMatchObject({ n: 25 });
  });

  it("so does one of what it removes, and of what it clears", async () => {
    expect((await play((session) => delete session["n"], increment, increment)).data).toMatchObject({ n: 20 });
    expect((await play((session) => session.clearSession(), increment, increment)).data).toEqual({ n: 20 });
  });

  it("so do two, and one after an update that leaves nothing", async () => {
    const twice: Act = (session) => [increment(session), increment(session)];
    expect((await play((session) => (session["n"] = 5), twice, increment)).data).toMatchObject({ n: 35 });
    const anew: Act = (session) => [session.update("n", () => undefined), increment(session)];
    expect((await play((session) => (session["n"] = 5), anew, increment)).data).toMatchObject({ n: 10 });
  });

  it("what is appended to a list that it assigns stays beside another request's", async () => {
    const assign: Act = (session) => (session["list"] = [5]);
    expect((await play(assign, append, (session) => session.append("list", 20))).data).toMatchObject({
      list: [5, 20, 10],
    });
  });

  it("an assignment, a deletion or a change in place after the operation wins, as ever", async () => {
    const assign: Act = (session) => (session["n"] = 5);
    expect((await play(assign, (s) => [increment(s), (s["n"] = 7)], increment)).data).toMatchObject({ n: 7 });
    expect((await play(assign, (s) => [(s["n"] = 7), increment(s)], increment)).data).toMatchObject({ n: 17 });
    expect((await play(assign, (s) => [increment(s), delete s["n"]], increment)).data).toEqual({ list: [1] });
    const list: Act = (session) => (session["list"] = [5]);
    const inPlace: Act = (session) => [append(session), (session["list"] as number[]).push(6)];
    expect((await play(list, inPlace, append)).data).toMatchObject({ list: [5, 10, 6] });
    const first: Act = (session) => [(session["list"] as number[]).push(6), append(session)];
    expect((await play(list, first, append)).data).toMatchObject({ list: [5, 6, 10] });
  });

  it("what it did not save is not forgotten", async () => {
    const { data } = await play(
      (session) => (session["n"] = 5),
      increment,
      () => undefined,
      { failing: true },
    );
    expect(data).toMatchObject({ n: 15 });
  });
});
