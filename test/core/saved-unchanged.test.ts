/** Operations that a save found to be no change: they are done, and not made again by the next save. */
import { describe, expect, it } from "vitest";
import type { DefaultData, Session } from "../../src/core/session-types.ts";
import { createSessions } from "../../src/create-sessions.ts";
import { MemoryStore } from "../../src/stores/memory.ts";
import { HostileStore } from "../../src/testing/hostile-store.ts";
import { Browser } from "../support/browser.ts";

type Act = (session: Session<DefaultData>) => unknown;

describe.each([true, false])("what leaves a session as it is (local store: %s)", (local) => {
  /** One request does something and saves, another one writes, and the first goes on. `before` is done by a third. */
  async function play(first: Act, other: Act, then: Act, before: Act = () => undefined): Promise<unknown> {
    const store = new HostileStore(new MemoryStore(), { local });
    const secretKey = "a secret of more than thirty-two bytes";
    const browser = new Browser(createSessions({ secretKey, store, logLevel: "silent" }));
    await browser.visit((session) => void Object.assign(session, { n: 1, list: [1] }));
    const visit = await browser.start();
    visit.session.get("n");
    await browser.visit(before);
    first(visit.session);
    await visit.session.saveSession();
    await browser.visit(other);
    then(visit.session);
    await visit.end();
    return (await browser.visit((session) => ({ ...session }))).result;
  }

  const count: Act = (session) => session.increment("n", 5);

  it("is not done again over what another request wrote since it was saved", async () => {
    const write: Act = (session) => (session["n"] = 50);
    expect(await play((session) => session.update("n", () => 1), write, count)).toMatchObject({ n: 55 });
    expect(await play((session) => session.increment("n", 0), write, count)).toMatchObject({ n: 55 });
    expect(await play((session) => (session["n"] = 1), write, count)).toMatchObject({ n: 55 });
  });

  it("removes no field that another request made since it was saved", async () => {
    const make: Act = (session) => (session["m"] = 50);
    const countThat: Act = (session) => session.increment("m", 5);
    expect(await play((session) => delete session["m"], make, countThat)).toMatchObject({ m: 55 });
    expect(await play((session) => session.update("m", () => undefined), make, countThat)).toMatchObject({ m: 55 });
  });

  it("is not done again where only a conflict showed that it is no change", async () => {
    const write: Act = (session) => (session["n"] = 50);
    const same: Act = (session) => session.update("n", () => 5);
    expect(await play(same, write, count, (session) => (session["n"] = 5))).toMatchObject({ n: 55 });
  });

  it("leaves a list watched that was handed out", async () => {
    let handedOut: number[] = [];
    const look: Act = (session) => (handedOut = session.update("list", (list) => list) as number[]);
    expect(await play(look, count, () => handedOut.push(2))).toEqual({ n: 6, list: [1, 2] });
  });
});
