/** Several processes on one store with options that concern all of them: ids that change in use, and encryption. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Fleet } from "../support/fleet.ts";
import { type Backend, startBackend } from "../support/fleet-backends.ts";
import { BACKENDS } from "../support/fleet-stores.ts";

const KEYS = ["the first key, of thirty-two bytes and more", "the second key, of thirty-two bytes and more"];
const ALL = [0, 1, 2, 3];

describe.each(BACKENDS)("four processes on one %s that rotate and encrypt", { timeout: 240_000 }, (name) => {
  let backend: Backend | undefined;
  let fleet: Fleet;

  beforeAll(async () => {
    backend = await startBackend(name);
    // In the middle of a change of keys: half of them write with the one, half with the other.
    fleet = await Fleet.start(name, backend.address, 4, (member) => ({
      rotateEvery: 600,
      encryption: { keys: member % 2 === 0 ? KEYS : KEYS.toReversed() },
    }));
  });
  afterAll(async () => {
    await (fleet as Fleet | undefined)?.stop();
    await backend?.stop();
  });

  const setClocks = (seconds: number): Promise<unknown> =>
    Promise.all(ALL.map((at) => fleet.visit(at, `/clock?value=${seconds * 1000}`)));
  const reused = async (): Promise<unknown[]> => {
    const replies = await Promise.all(ALL.map((at) => fleet.send(at, "/reused")));
    return replies.flatMap(({ body }) => JSON.parse(body) as unknown[]);
  };

  test("end twenty rotations at once in one id, lose nothing of them, and report the old id afterwards", async () => {
    const login = await fleet.visit(0, "/login?value=ann");
    await setClocks(600);
    const visits = await Promise.all(
      Array.from({ length: 20 }, (_, index) => fleet.visit(index, `/increment?value=key${index}`, login.cookie)),
    );
    const [cookie, ...others] = new Set(visits.map((visit) => visit.cookie));
    expect(others).toEqual([]);
    expect(cookie).not.toBe(login.cookie);
    const keys = Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`key${index}`, true]));
    for (const at of ALL) {
      const seen = { cause: "resumed", userId: "ann", handle: login.handle, data: { ...keys, n: 20 } };
      expect(await fleet.visit(at, "/", cookie)).toMatchObject(seen);
      // A request in flight with the old id reaches the same session, and learns the new id.
      expect(await fleet.visit(at, "/", login.cookie)).toMatchObject({ ...seen, cookie });
    }
    expect((await fleet.send(1, "/list?value=ann")).body).toBe(JSON.stringify([login.handle]));
    expect(await reused()).toEqual([]);

    await setClocks(660);
    for (const at of ALL) {
      expect(await fleet.visit(at, "/", login.cookie)).toMatchObject({ cause: "rotated", userId: null, data: {} });
    }
    expect(await reused()).toEqual(ALL.map(() => login.handle));
    expect(await fleet.visit(2, "/", cookie)).toMatchObject({ cause: "resumed", userId: "ann", data: { n: 20 } });
  });

  test("read and write each other's encrypted fields, whichever key comes first", async () => {
    const { cookie } = await fleet.visit(0, "/set?value=first");
    await Promise.all(
      Array.from({ length: 40 }, (_, index) => fleet.visit(index, `/increment?value=key${index % 4}`, cookie)),
    );
    const data = { n: 40, first: true, key0: true, key1: true, key2: true, key3: true };
    for (const at of ALL) expect(await fleet.visit(at, "/", cookie)).toMatchObject({ cause: "resumed", data });
    // They are encrypted: without the key that wrote it, a field is no value, and never an error.
    const other = await fleet.visit(0, "/set?value=first");
    await fleet.join({ encryption: { keys: KEYS.slice(1) } });
    expect(await fleet.visit(4, "/", other.cookie)).toMatchObject({ data: {} });
  });
});
