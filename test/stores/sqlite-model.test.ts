import { expect, test } from "vitest";
import { SqliteStore } from "../../src/stores/sqlite.ts";
import { expectSameAsMemory } from "./random-calls.ts";

test("answers what the memory store answers, and keeps what it keeps, for random calls", async () => {
  const seen = await expectSameAsMemory(() => new SqliteStore(":memory:"), { userIndex: true, runs: 40 });
  const refusals = ["gone", "moved", "conflict", "duplicate", "rejected cap", "rejected revoked"];
  expect(seen).toEqual(
    expect.arrayContaining([
      ...["ok", "evicted", "duplicate", "rejected cap", "rejected revoked"].map((answer) => `create: ${answer}`),
      ...["ok", "gone", "moved", "conflict"].map((answer) => `commit: ${answer}`),
      ...["ok", "evicted", ...refusals].map((answer) => `rotate: ${answer}`),
      "renew: true",
      "renew: false",
      "destroy: true",
      "destroy: false",
      "revokeHandle: string",
      "revokeUser: 2",
    ]),
  );
});
