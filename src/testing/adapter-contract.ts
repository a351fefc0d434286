/**
 * What every adapter owes a browser, told as stories to a listening server.
 *
 * Each story is told twice: with a store that answers at once, and with one whose every answer is a promise.
 */
import type { StartAdapter } from "./adapter-app.ts";
import { type Stage, tell } from "./adapter-scene.ts";
import { tellCalls } from "./adapter-stories-calls.ts";
import { tellCookies } from "./adapter-stories-cookies.ts";
import { tellCsrf } from "./adapter-stories-csrf.ts";
import { tellEnds } from "./adapter-stories-ends.ts";
import { tellErrors } from "./adapter-stories-errors.ts";
import { tellFaults } from "./adapter-stories-faults.ts";
import { tellOptions } from "./adapter-stories-options.ts";
import { tellProxies } from "./adapter-stories-proxies.ts";
import { tellRaces } from "./adapter-stories-races.ts";
import { tellRotation } from "./adapter-stories-rotation.ts";
import { tellStreams } from "./adapter-stories-streams.ts";
import { tellVisits } from "./adapter-stories-visits.ts";
import type { RegisterTest } from "./store-contract.ts";

export interface AdapterContractOptions {
  readonly test: RegisterTest;
  readonly start: StartAdapter;
  /** The ways in which a handler of this framework can set a cookie: names that `AdapterCall.setCookie` understands. */
  readonly cookieWays: readonly string[];
  /** Whether the framework has error handlers of the application, `AdapterApp.onError`. @defaultValue true */
  readonly errorHandlers?: boolean;
}

/**
 * Proves an adapter. Every story is a test of its own.
 *
 * Where the runner reports unhandled rejections, as Vitest and `node:test` do, it proves that there are none, too.
 *
 * @example
 * import { test } from "vitest";
 * adapterContract({ test, start: startMyFramework, cookieWays: ["reply.cookie"] });
 */
export function adapterContract({ test, start, cookieWays, errorHandlers = true }: AdapterContractOptions): void {
  for (const kind of ["local", "remote"] as const) {
    const stage: Stage = {
      kind,
      cookieWays,
      errorHandlers,
      story: (name, run) => void test(`${name} (${kind} store)`, () => tell(start, kind, run)),
    };
    tellVisits(stage);
    tellErrors(stage);
    tellStreams(stage);
    tellEnds(stage);
    tellRaces(stage);
    tellRotation(stage);
    tellCookies(stage);
    tellOptions(stage);
    tellCsrf(stage);
    tellProxies(stage);
    tellCalls(stage);
    tellFaults(stage);
  }
}
