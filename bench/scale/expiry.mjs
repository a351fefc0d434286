/**
 * A child: 10^6 sessions expire under load. Arguments: `fastsession` or `Map`. While they go, a hundred sessions are
 * made and read each turn. What is told: our own synchronous slices, and the loop's longest delay.
 */
import { monitorEventLoopDelay } from "node:perf_hooks";
import { kinds, newId } from "./stores.mjs";

const [kind, number] = process.argv.slice(2);
const count = Number(number);
const turn = () => new Promise((resolve) => setImmediate(resolve));
const { held, add } = await kinds[kind]();
for (let index = 0; index < count; index++) {
  add(index, 1);
  if (index % 1000 === 999) await turn();
}
globalThis.gc();
await new Promise((resolve) => setTimeout(resolve, 50));

const delay = monitorEventLoopDelay({ resolution: 1 });
delay.enable();
const slices = [];
const keys = kind === "Map" ? held.keys() : null;
for (let left = count, made = count; left > 0;) {
  for (let index = 0; index < 100; index++) add((made += 1), 86_400_000);
  for (let index = 0; index < 100; index++) void (kind === "Map" ? held.get(newId()) : held.load(newId(), Date.now()));
  const from = performance.now();
  let removed = 0;
  if (keys === null) removed = held.sweep(Date.now(), 1000);
  else for (; removed < 1000; removed++) held.delete(keys.next().value);
  slices.push(performance.now() - from);
  if (removed === 0) break;
  left -= removed;
  await turn();
}
delay.disable();
slices.sort((one, other) => one - other);
const at = (part) => slices[Math.min(slices.length - 1, Math.floor(slices.length * part))];
process.stdout.write(
  JSON.stringify({
    slices: slices.length,
    medianMillis: at(0.5),
    p999Millis: at(0.999),
    worstMillis: at(1),
    loopMillis: delay.max / 1e6,
  }),
);
process.exit(0);
