/** Connections to MariaDB that are cut at every byte of a call, towards the server and back. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type CutLines, openLines } from "../support/cut-lines.ts";
import { CUT_VERBS, cutEverywhere } from "../support/cut-verbs.ts";
import { type FaultyServer, startServer } from "../support/fault-clients.ts";

let server: FaultyServer;
let open: CutLines;

beforeAll(async () => {
  server = await startServer("MariaDB");
});
afterAll(() => server.stop());

describe("a connection of mysql2", () => {
  beforeAll(async () => {
    open = await openLines("mysql2", server.port);
  });
  afterAll(() => open.close());

  test.each(CUT_VERBS)(
    "cut anywhere in a %s or in its answer leaves it done or undone, and once repeated",
    async (verb) => {
      for (const direction of ["toServer", "toClient"] as const) {
        expect(await cutEverywhere(open.lines, verb, direction)).toEqual([]);
      }
    },
  );
});
