/** Who is measured: fastsession, and what people use instead of it. `key`: also in the short run. */
export const frameworks = ["hono", "fastify", "express", "koa", "node"];

/**
 * `stores`: where the data lies, `cookie` being a sealed cookie. `cases`: where a peer has no more than some of them.
 */
const all = [
  { peer: "fastsession", frameworks, stores: ["memory"], key: true },
  { peer: "fastsession", frameworks, stores: ["sqlite"] },
  { peer: "fastsession", frameworks: ["fastify", "node"], stores: ["redis"], key: true },
  { peer: "fastsession", frameworks: ["hono", "express", "koa"], stores: ["redis"] },
  { peer: "fastsession", frameworks: ["fastify", "node"], stores: ["postgres"] },
  { peer: "fastsession-cached", frameworks: ["fastify"], stores: ["redis"] },
  { peer: "express-session", frameworks: ["express"], stores: ["memory"], key: true },
  { peer: "express-session", frameworks: ["express"], stores: ["redis"] },
  { peer: "@fastify/session", frameworks: ["fastify"], stores: ["memory"], key: true },
  { peer: "@fastify/session", frameworks: ["fastify"], stores: ["redis"], key: true },
  { peer: "koa-session", frameworks: ["koa"], stores: ["memory"], key: true },
  { peer: "koa-session", frameworks: ["koa"], stores: ["redis", "cookie"] },
  { peer: "hono-sessions", frameworks: ["hono"], stores: ["memory"], key: true },
  { peer: "@hono/session", frameworks: ["hono"], stores: ["memory", "cookie"] },
  { peer: "@fastify/secure-session", frameworks: ["fastify"], stores: ["cookie"] },
  { peer: "iron-session", frameworks: ["node"], stores: ["cookie"] },
  { peer: "better-auth", frameworks: ["node"], stores: ["memory"], cases: ["c"] },
];

/** What is measured on one framework, ours first. */
export function subjectsOf(framework, { full, stores, peers }) {
  return all
    .filter(
      (one) => one.frameworks.includes(framework) && (full || one.key === true || stores !== null || peers !== null),
    )
    .flatMap(({ peer, stores: names, cases = null }) => names.map((store) => ({ peer, store, cases })))
    .filter(
      ({ peer, store }) => (stores === null || stores.includes(store)) && (peers === null || peers.includes(peer)),
    );
}

export const stores = [...new Set(all.flatMap((one) => one.stores))];
export const peers = [...new Set(all.map((one) => one.peer))];
export const isOurs = (peer) => peer.startsWith("fastsession");
/** Where the data stays on the server, as ours does. */
export const isServerSide = (store) => store !== "cookie";
