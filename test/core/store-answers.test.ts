import { beforeEach, describe, expect, it } from "vitest";
import { serialize } from "../../src/core/serialize.ts";
import { createSessions, type Sessions } from "../../src/create-sessions.ts";
import { MemoryStore } from "../../src/stores/memory.ts";
import { HostileStore, type StoreVerb } from "../../src/testing/hostile-store.ts";
import { ManualClock } from "../../src/testing/manual-clock.ts";
import { Browser } from "../support/browser.ts";

const secretKey = "a secret of more than thirty-two bytes";
const UNKNOWN = "ERR_SESSION_STORE_UNKNOWN";
const KNOWN = "ERR_SESSION_STORE";

/** What no verb answers. */
const SENSELESS: readonly unknown[] = [
  undefined,
  7n,
  "",
  [],
  {},
  { ok: 1 },
  { ok: false },
  { ok: false, reason: "no" },
];
const REFUSALS: readonly unknown[] = [
  { ok: false, reason: "moved" },
  { ok: false, reason: "moved", to: "v1.abc.d", sealedId: null },
  { ok: false, reason: "conflict" },
  { ok: false, reason: "conflict", current: null },
  { ok: false, reason: "conflict", current: { n: 7 } },
  { ok: false, reason: "rejected", why: "no" },
];
const MADE: readonly unknown[] = [{ ok: true }, { ok: true, evicted: 1 }, { ok: true, evicted: [7] }];

interface Call {
  readonly verb: StoreVerb;
  readonly code: string;
  readonly answers: readonly unknown[];
  /** Makes the library call the verb, for somebody who is signed in. */
  make(sessions: Sessions, browser: Browser): Promise<unknown>;
}

const calls: readonly Call[] = [
  {
    verb: "create",
    code: UNKNOWN,
    answers: [null, 7, true, ...REFUSALS, ...MADE, { ok: false, reason: "gone" }],
    make: (sessions) => new Browser(sessions).visit((session) => session.login("bob")),
  },
  {
    verb: "commit",
    code: UNKNOWN,
    answers: [null, 7, true, ...REFUSALS, { ok: false, reason: "duplicate" }],
    make: (_, browser) => browser.visit((session) => session.increment("n")),
  },
  {
    verb: "rotate",
    code: UNKNOWN,
    answers: [null, 7, true, ...REFUSALS, ...MADE],
    make: (_, browser) => browser.visit((session) => session.regenerate()),
  },
  {
    verb: "destroy",
    code: KNOWN,
    answers: [null, 7],
    make: (_, browser) => browser.visit((session) => session.logout()),
  },
  {
    verb: "listByUser",
    code: KNOWN,
    answers: [null, 7, { sessions: [] }, { after: null }],
    make: (sessions) => sessions.forUser("ann").list(),
  },
  { verb: "revokeHandle", code: KNOWN, answers: [7, true], make: (sessions) => sessions.revoke("somebody") },
  {
    verb: "revokeUser",
    code: KNOWN,
    answers: [null, 7, { generation: 1 }, { keys: ["k"] }, { generation: 1, keys: [7] }],
    make: (sessions) => sessions.forUser("bob").revokeAll(),
  },
  { verb: "generation", code: KNOWN, answers: [null, Number.NaN], make: (sessions) => sessions.generation("ann") },
  { verb: "sweep", code: KNOWN, answers: [null, Number.NaN], make: (sessions) => sessions.gc() },
  {
    verb: "lock",
    code: KNOWN,
    answers: [7, { fence: 1 }, { release() {} }],
    make: (_, browser) => browser.visit((session) => serialize(session)),
  },
];

const show = (answer: unknown): string =>
  typeof answer === "bigint" ? "7n" : (JSON.stringify(answer) ?? String(answer));
const cases = calls
  .flatMap((call) => [...SENSELESS, ...call.answers].map((answer) => ({ ...call, answer, shown: show(answer) })))
  // An empty text is a name, of nobody.
  .filter(({ verb, answer }) => !(verb === "revokeHandle" && answer === ""));

for (const local of [true, false]) {
  describe(`an answer that makes no sense, of a ${local ? "local" : "remote"} store`, () => {
    let store: HostileStore;
    let sessions: Sessions;
    let ann: Browser;
    let told: unknown[];
    const clock = new ManualClock();

    beforeEach(async () => {
      store = new HostileStore(new MemoryStore(), { local });
      sessions = createSessions({ secretKey, store, now: clock.now, logLevel: "silent" });
      ann = new Browser(sessions);
      await ann.visit((session) => session.login("ann"));
      told = [];
      sessions.on("store-error", ({ verb }) => told.push(verb));
    });

    // Nothing is none, where no server can have lost it.
    const asked = cases.filter(({ verb, answer }) => !(local && verb === "sweep" && (answer ?? null) === null));
    it.each(asked)("is the store's failure: $verb, $shown", async ({ verb, code, answer, make }) => {
      const { cookie } = ann;
      store.alter(verb, () => answer);
      const error: unknown = await make(sessions, ann).catch((reason: unknown) => reason);
      expect(error).toMatchObject({ code, message: expect.stringMatching(`"${verb}".*storeContract`), status: 503 });
      expect([ann.cookie, told.includes(verb)]).toEqual([cookie, true]);
    });

    it.each([null, {}, 7, "yes"])("leaves the session as it is, where a renewal is answered %j", async (answer) => {
      clock.advance(4 * 3600 * 1000);
      store.alter("renew", () => answer);
      const { lines, result } = await ann.visit((session) => session.info.userId);
      expect([lines, result, told]).toEqual([[], "ann", ["renew"]]);
    });

    it("signs nobody out: the next request has the session", async () => {
      store.alter("commit", () => ({}));
      await expect(ann.visit((session) => session.increment("n"))).rejects.toThrow();
      store.heal();
      expect((await ann.visit((session) => session.info.userId)).result).toBe("ann");
    });
  });
}
