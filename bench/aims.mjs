/** The most CPU µs that a request may be given, by store and case; `null`: none set, or below what HTTP can show. */
const fast = ["node", "fastify", "hono"];
const every = [...fast, "koa"];

export const aims = [
  aim("memory", fast, { a: [null, 0.3], b: [null, 0.3], c: [5, 3], d: [6, 3.5], e: [10, 7] }),
  aim("memory", ["express"], { c: [20, null], d: [25, null] }),
  aim("redis", every, { c: [15, null], d: [30, null], e: [25, null] }),
].flat();

function aim(store, frameworks, limits) {
  return Object.entries(limits).map(([name, [http, inProcess]]) => ({
    peer: "fastsession",
    store,
    frameworks,
    case: name,
    http,
    inProcess,
  }));
}
