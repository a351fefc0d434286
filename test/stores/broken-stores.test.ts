import { describe, expect, test } from "vitest";
import { MemoryStore } from "../../src/stores/memory.ts";
import { storeContract, type StoreContractOptions } from "../../src/testing/store-contract.ts";
import { recordFaults } from "./broken-records.ts";
import { Backend, Network, remoteFaults, RemoteStore } from "./broken-remote-stores.ts";
import { userFaults } from "./broken-users.ts";

type Stores = Omit<StoreContractOptions, "test">;
type Run = Parameters<StoreContractOptions["test"]>[1];

function promisesOf(stores: Stores): [promise: string, run: Run][] {
  const tests: [string, Run][] = [];
  storeContract({ ...stores, test: (name, run) => tests.push([name, run]) });
  return tests;
}

/** The promises that a store does not keep. */
async function brokenPromises(stores: Stores): Promise<string[]> {
  const broken: string[] = [];
  for (const [promise, run] of promisesOf(stores)) {
    await run().catch((error: unknown) => {
      expect(error).toBeInstanceOf(Error);
      broken.push(promise);
    });
  }
  return broken;
}

function twoInstances(create: (backend: Backend) => RemoteStore): Stores {
  return {
    createStore: () => create(new Backend()),
    parallelStores: () => {
      const backend = new Backend();
      return { stores: [create(backend), create(backend)], close: () => undefined };
    },
    breakableStore: () => {
      const network = new Network();
      return {
        store: create(new Backend(() => network.travel())),
        breakConnections: () => network.break(),
        close: () => undefined,
      };
    },
  };
}

const broken = [
  ...[...recordFaults, ...userFaults].map(({ create, ...rest }) => ({ ...rest, stores: { createStore: create } })),
  ...remoteFaults.map(({ create, ...rest }) => ({ ...rest, stores: twoInstances(create) })),
];

describe("the store contract", () => {
  const caught = new Set<string>();

  test("is kept by the memory store", async () => {
    expect(await brokenPromises({ createStore: () => new MemoryStore() })).toEqual([]);
  });

  test("is kept by a store that answers late, in one instance and in two", async () => {
    expect(await brokenPromises(twoInstances((backend) => new RemoteStore(backend)))).toEqual([]);
  });

  test.for(broken.map((one) => [one.fault, one] as const))("catches a %s", async ([, { stores, breaks }]) => {
    const found = await brokenPromises(stores);
    for (const promise of found) caught.add(promise);
    expect(found).toContain(breaks);
  });

  test("makes no promise that none of these breaks", () => {
    const all = promisesOf({ createStore: () => new MemoryStore() }).map(([promise]) => promise);
    expect(all.filter((promise) => !caught.has(promise))).toEqual([]);
  });

  test("makes no promise about connections that break that none of these breaks", () => {
    const all = promisesOf(twoInstances((backend) => new RemoteStore(backend))).map(([promise]) => promise);
    const breaking = all.filter((promise) => promise.startsWith("while connections break: "));
    expect(breaking.length).toBeGreaterThan(0);
    expect(breaking.filter((promise) => !caught.has(promise))).toEqual([]);
  });

  test("gives every promise a name of its own", () => {
    const all = promisesOf(twoInstances((backend) => new RemoteStore(backend))).map(([promise]) => promise);
    expect(new Set(all).size).toBe(all.length);
  });
});
