/** The client most of the peers' stores want: one connection of the package `redis`. */
export async function redisClient() {
  const { createClient } = await import("redis");
  const client = createClient({ url: process.env.BENCH_REDIS_URL });
  await client.connect();
  return client;
}

/** A store of JSON texts under a prefix, for peers that leave the store to the application. */
export async function jsonStore(prefix, seconds) {
  const client = await redisClient();
  return {
    async get(key) {
      const text = await client.get(prefix + key);
      return text === null ? undefined : JSON.parse(text);
    },
    set: async (key, value) =>
      void (await client.set(prefix + key, JSON.stringify(value), { expiration: { type: "EX", value: seconds } })),
    destroy: async (key) => void (await client.del(prefix + key)),
  };
}

/** The same over a `Map`, objects kept as they are. */
export function mapStore() {
  const map = new Map();
  return {
    get: async (key) => map.get(key),
    set: async (key, value) => void map.set(key, value),
    destroy: async (key) => void map.delete(key),
  };
}
