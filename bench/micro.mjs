/**
 * The hot path in its parts, in nanoseconds: `npm run bench:micro`. Where the time of a whole request goes:
 * `node --cpu-prof --cpu-prof-dir=/tmp/profile bench/profile.mjs d`, which docs/performance.md explains.
 */
import { createSessions, MemoryStore } from "fastsession";
import { commitResponse, newSession } from "../dist/core/lifecycle.js";
import { createHandle } from "../dist/core/session-handle.js";
import { newHandle, newId } from "../dist/core/session-id.js";
import { contentOf } from "./scale/stores.mjs";
import { median, quartiles } from "./statistics.mjs";

const ROUNDS = 25;
const store = new MemoryStore();
const sessions = createSessions({ secretKey: "only-for-the-benchmark-0123456789abcdef", store });
const { cookie } = sessions.http;
const { config } = sessions;
const now = Date.now();

/** A thousand returning visitors, so that nothing is measured on one hot object. */
const visitors = Array.from({ length: 1000 }, (_, index) => {
  const state = stateOf(undefined);
  const handle = createHandle(state);
  Object.assign(handle, contentOf(index));
  void commitResponse(state);
  const line = cookie.line(state.id, state.createdAt, null, false);
  return {
    id: state.id,
    key: state.key,
    value: line.slice(line.indexOf("=") + 1, line.indexOf(";")),
    header: line.split(";")[0],
  };
});

function stateOf(header) {
  return newSession(config, { present: (at) => cookie.read(header, at), touched: () => undefined });
}

const parts = {
  "cookie to id, first time seen": ({ value }) => cookie.format.read(value, now),
  "cookie to id, remembered": ({ header }) => cookie.read(header, now),
  "load a record": ({ key }) => store.load(key, now),
  "session, untouched": ({ header }) => commitResponse(stateOf(header)),
  "session, first get": ({ header }) => {
    const state = stateOf(header);
    void createHandle(state).userId;
    void commitResponse(state);
  },
  "session, get, set, commit": ({ header }) => {
    const state = stateOf(header);
    const handle = createHandle(state);
    handle.counter = handle.counter + 1;
    void commitResponse(state);
  },
  "commit of one field to the store": ({ key }, turn) =>
    store.commit(key, { operation: String(turn), now, set: { counter: String(turn) } }),
  "new id and handle": () => {
    newId();
    newHandle();
  },
  "Set-Cookie line": ({ id }) => cookie.line(id, now, null, true),
  "session, created with four fields": (_, turn) => {
    const state = stateOf(undefined);
    Object.assign(createHandle(state), contentOf(turn));
    void commitResponse(state);
    cookie.line(state.id, state.createdAt, null, true);
  },
};

for (const [name, run] of Object.entries(parts)) {
  const nanos = [];
  for (let round = 0; round < ROUNDS; round++) {
    const from = process.hrtime.bigint();
    for (let turn = 0; turn < 5000; turn++) void run(visitors[turn % visitors.length], turn);
    nanos.push(Number(process.hrtime.bigint() - from) / 5000);
  }
  const warm = nanos.slice(5);
  const [low, high] = quartiles(warm);
  console.log(
    `${name.padEnd(36)} ${median(warm).toFixed(0).padStart(6)} ns  (${low.toFixed(0)} to ${high.toFixed(0)})`,
  );
}
