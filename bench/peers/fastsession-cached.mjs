import { cached } from "fastsession/stores/cached";
import { redisStore, serveFrom } from "./fastsession.mjs";

/** With the near cache in front of Redis. */
export async function setUp(framework) {
  return serveFrom(framework, cached(await redisStore({ announceChanges: true })));
}
