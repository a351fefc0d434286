/** A child: bytes a live session takes, what one more costs, and the longest one. Arguments: kind, number. */
import { kinds } from "./stores.mjs";

const [kind, number] = process.argv.slice(2);
const count = Number(number);
const turn = () => new Promise((resolve) => setImmediate(resolve));
const used = () => {
  globalThis.gc();
  globalThis.gc();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
};

const { held, add } = await kinds[kind]();
for (let index = 0; index < 200; index++) add(index);
await turn();
const before = used();
const slices = [];
let longest = 0;
for (let index = 0; index < count; index++) {
  const from = performance.now();
  add(index);
  longest = Math.max(longest, performance.now() - from);
  // Peers that write at the end of the turn get one.
  if (index % 1000 === 999) {
    await turn();
    slices.push(index);
  }
}
await turn();
await turn();
const bytes = (used() - before) / count;

/** What one more session costs at this size, garbage collection included: the median of a hundred batches. */
const batches = [];
for (let batch = 0; batch < 100; batch++) {
  const from = process.cpuUsage();
  for (let index = 0; index < 100; index++) add(count + batch * 100 + index);
  const { user, system } = process.cpuUsage(from);
  batches.push((user + system) / 100);
  await turn();
}
batches.sort((one, other) => one - other);
process.stdout.write(
  JSON.stringify({ bytes: Math.round(bytes), createMicros: batches[50], longestMillis: longest, held: held !== null }),
);
process.exit(0);
