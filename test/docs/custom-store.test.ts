import { test } from "vitest";
import { MapStore } from "../../examples/custom-store.mjs";
import type { SessionStore } from "../../src/core/session-store.ts";
import { storeContract } from "../../src/testing/store-contract.ts";

storeContract({ test, createStore: () => new MapStore() as unknown as SessionStore });
