/**
 * The store contract as tests: what every `SessionStore` has to keep, ours and yours.
 *
 * Knows no test runner and needs no clock: it registers promises as tests, and hands instants in.
 */
import type { SessionStore } from "../core/session-store.ts";
import type { Awaitable } from "../core/units.ts";
import { capCases } from "./store-contract-caps.ts";
import { changeCases } from "./store-contract-changes.ts";
import { endingCases } from "./store-contract-endings.ts";
import { extraCases } from "./store-contract-extras.ts";
import { faultCases } from "./store-contract-faults.ts";
import { loginRaceCases } from "./store-contract-login-races.ts";
import { raceCases } from "./store-contract-races.ts";
import { recordCases } from "./store-contract-records.ts";
import { repeatCases } from "./store-contract-repeats.ts";
import { revokingCases } from "./store-contract-revoking.ts";
import { rotationCases } from "./store-contract-rotation.ts";
import { Scene, type StoreCase, supports } from "./store-contract-scene.ts";
import { userCases } from "./store-contract-users.ts";

/** Registers one test, as `test` of Vitest, node:test, Bun, Jest or Mocha's `it` do. */
export type RegisterTest = (name: string, run: (...context: readonly unknown[]) => Promise<void>) => unknown;

export interface StoreContractOptions {
  readonly test: RegisterTest;
  /**
   * Makes an empty store, once for each test. `close` is called at its end, also of a failed one; without it the
   * store's own `close` is.
   */
  readonly createStore: () => Awaitable<SessionStore | { readonly store: SessionStore; close(): Awaitable<unknown> }>;
  /**
   * Makes two instances over one empty backend, as two processes have them. With it the races run across instances,
   * too.
   */
  readonly parallelStores?: () => Awaitable<{
    readonly stores: readonly [SessionStore, SessionStore];
    close(): Awaitable<unknown>;
  }>;
  /**
   * Makes an empty store of a server, and a way to end all its connections at once, in the middle of whatever they do:
   * a proxy that closes its sockets, or a command to the server. With it the contract also covers calls that break.
   */
  readonly breakableStore?: () => Awaitable<{
    readonly store: SessionStore;
    breakConnections(): Awaitable<unknown>;
    close(): Awaitable<unknown>;
  }>;
}

const CASES: readonly StoreCase[] = [
  ...recordCases,
  ...changeCases,
  ...endingCases,
  ...rotationCases,
  ...userCases,
  ...capCases,
  ...revokingCases,
  ...raceCases,
  ...loginRaceCases,
  ...extraCases,
  ...repeatCases,
];

/**
 * Registers a test for each promise of the contract. A test throws a plain error that names what was broken. What the
 * store's `capabilities` do not declare is skipped where the runner's test context has `skip`, else passed by.
 *
 * Instants are the kit's own and stand in the past: a backend's expiry has to be set relative to the `now` of a call,
 * never to an instant.
 *
 * @example
 * import { test } from "vitest";
 * import { storeContract } from "fastsession/testing";
 * storeContract({ test, createStore: () => new MyStore() });
 */
export function storeContract({ test, createStore, parallelStores, breakableStore }: StoreContractOptions): void {
  for (const one of CASES) {
    // A rest parameter: runners that see a named one wait for it to be called.
    test(one.promise, async (...[context]) => {
      const made = await createStore();
      const store = "store" in made ? made.store : made;
      const close = "store" in made ? () => made.close() : () => store.close?.();
      await play(one, new Scene(store, store), close, context);
    });
  }
  if (parallelStores !== undefined) {
    for (const one of CASES.filter(({ race }) => race === true)) {
      test(`across two instances: ${one.promise}`, async (...[context]) => {
        const made = await parallelStores();
        await play(one, new Scene(...made.stores), () => made.close(), context);
      });
    }
  }
  if (breakableStore !== undefined) {
    for (const { run, ...one } of faultCases) {
      test(`while connections break: ${one.promise}`, async (...[context]) => {
        const made = await breakableStore();
        const broken = { ...one, run: (scene: Scene) => run(scene, () => made.breakConnections()) };
        await play(broken, new Scene(made.store, made.store), () => made.close(), context);
      });
    }
  }
}

async function play(one: StoreCase, scene: Scene, close: () => Awaitable<unknown>, context: unknown): Promise<void> {
  try {
    if (supports(scene.store, one.needs)) await one.run(scene);
    else (context as { skip?(reason: string): void } | undefined)?.skip?.(`the store does not declare ${one.needs}`);
  } finally {
    await close();
  }
}
