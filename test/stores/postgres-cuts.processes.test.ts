/** Connections to PostgreSQL that are cut at every byte of a call, towards the server and back. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type CutLines, openLines } from "../support/cut-lines.ts";
import { CUT_VERBS, cutEverywhere } from "../support/cut-verbs.ts";
import { type FaultyServer, startServer } from "../support/fault-clients.ts";

let server: FaultyServer;
let open: CutLines;

beforeAll(async () => {
  server = await startServer("PostgreSQL");
});
afterAll(() => server.stop());

/** A connection is a process of the server, which takes its time to start: so not every byte of long questions. */
describe.each([
  ["pg", 5, 1],
  ["postgres.js", 7, 3],
] as const)("a connection of %s", (client, asked, answered) => {
  beforeAll(async () => {
    open = await openLines(client, server.port);
  });
  afterAll(() => open.close());

  test.each(CUT_VERBS)(
    "cut anywhere in a %s or in its answer leaves it done or undone, and once repeated",
    async (verb) => {
      for (const direction of ["toServer", "toClient"] as const) {
        expect(await cutEverywhere(open.lines, verb, direction, direction === "toServer" ? asked : answered)).toEqual(
          [],
        );
      }
    },
  );
});
