/** What a store lists of its users, against a scan of all it has, after whatever may have torn the two apart. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { SessionStore } from "../../src/core/session-store.ts";
import { Churn, listedAndScanned } from "../support/churn.ts";
import { type Backend, startBackend } from "../support/fleet-backends.ts";
import { BACKENDS, openStore } from "../support/fleet-stores.ts";

const SEED = Number(process.env["CHURN_SEED"] ?? 20_261_124);

const EQUAL = { missing: [], ended: [], torn: [] };

describe.each(BACKENDS)("the index of users on %s", (name) => {
  let backend: Backend;
  let store: SessionStore;

  beforeAll(async () => {
    backend = await startBackend(name);
    store = await openStore(name, backend.address);
  });
  afterAll(async () => {
    await store.close?.();
    await backend.stop();
  });

  test("equals a full scan after rotations, logins, evictions, expiry, and crashes in the middle of them", async () => {
    let now = Date.UTC(2030, 0, 1);
    let found = 0;
    for (const crash of [undefined, backend.crash]) {
      const churn = new Churn(name, backend.address, now, [SEED, SEED + now]);
      await churn.goOn(300);
      if (crash !== undefined) {
        await crash();
        await churn.goOn(100);
      }
      await churn.kill();
      ({ now } = churn);
      // A call that was under way ends in a moment.
      await expect.poll(() => difference(now), { timeout: 30_000 }).toEqual(EQUAL);
      found += (await listedAndScanned(store, backend, now)).listed.length;
    }
    expect(found).toBeGreaterThan(5);
    for (const later of [50_000, 100_000, 150_000, 250_000]) {
      await backend.expire?.(now + later);
      expect(await difference(now + later)).toEqual(EQUAL);
    }
  });

  async function difference(now: number): Promise<object> {
    const { listed, scanned, torn } = await listedAndScanned(store, backend, now);
    const missing = scanned.filter((one) => !listed.includes(one));
    return { missing, ended: listed.filter((one) => !scanned.includes(one)), torn };
  }
});
