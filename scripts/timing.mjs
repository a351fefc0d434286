/**
 * Does the time that a refused cookie takes say where it is wrong? `npm run timing [-- <rounds>]`
 *
 * Welch's t-test between cookies whose signature is wrong in its first character and in its last one, in random order, as
 * dudect does it: |t| stays below 4.5 where time says nothing. Beside it a comparison that stops at the first difference,
 * to show what the test would see. Not part of the tests: it needs a quiet machine and minutes.
 */
import { randomInt } from "node:crypto";
import { createSessions } from "../dist/index.js";

const rounds = Number(process.argv[2] ?? 400_000);
const LIMIT = 4.5;
const sessions = createSessions({ secretKey: "only-for-measuring-0123456789abcdef" });
const { cookie } = sessions.http;
const { format } = cookie;
const now = Date.now();

/** A new id each time, so that nothing that one text happens to be (its hash, its place in memory) is taken for a leak. */
function refused(which) {
  const valid = format.write(sessions.config.ids.next(), now);
  // The key's id stands before the MAC; the last character of 43 carries four bits only.
  const at = valid.length - (which === 0 ? 43 : 2);
  // One flat text, not a chain of parts.
  return {
    valid,
    header: Buffer.from(`sid=${valid.slice(0, at)}${valid[at] === "A" ? "B" : "A"}${valid.slice(at + 1)}`).toString(
      "latin1",
    ),
  };
}

/** One that is not constant: by hand, character by character. */
function leaky(header, valid) {
  for (let at = 0; at < valid.length; at++) if (header[at + 4] !== valid[at]) return false;
  return true;
}

/** Mean and variance as they come (Welford), of what is not an interruption. */
class Sample {
  n = 0;
  mean = 0;
  #squares = 0;
  add(value) {
    this.n += 1;
    const delta = value - this.mean;
    this.mean += delta / this.n;
    this.#squares += delta * (value - this.mean);
  }
  get variance() {
    return this.#squares / (this.n - 1);
  }
}

/** @returns Welch's t of what `run` takes for the two kinds of wrong cookies */
function welch(run) {
  const raw = [];
  for (let round = 0; round < rounds + 20_000; round++) {
    const which = randomInt(2);
    const { header, valid } = refused(which);
    const from = performance.now();
    for (let repeat = 0; repeat < 4; repeat++) run(header, valid);
    const nanos = (performance.now() - from) * 1e6;
    if (round >= 20_000) raw.push([which, nanos]);
  }
  // Interruptions hit both alike; the slowest tenth is theirs.
  const limit = raw.map(([, nanos]) => nanos).toSorted((a, b) => a - b)[Math.floor(raw.length * 0.9)];
  const samples = [new Sample(), new Sample()];
  for (const [which, nanos] of raw) if (nanos <= limit) samples[which].add(nanos);
  const [a, b] = samples;
  return (a.mean - b.mean) / Math.sqrt(a.variance / a.n + b.variance / b.n);
}

const results = {
  "a cookie refused at its first or its last character": welch((header) => cookie.read(header, now)),
  "for comparison, a leaky comparison of the same": welch(leaky),
};
for (const [what, t] of Object.entries(results)) console.log(`t = ${t.toFixed(2).padStart(8)}  ${what}`);
const [ours, control] = Object.values(results).map(Math.abs);
if (control < LIMIT) console.log("the control shows nothing: too few rounds, or too noisy a machine");
if (ours >= LIMIT) process.exitCode = 1;
console.log(ours < LIMIT ? `no difference (|t| < ${LIMIT})` : `a difference: |t| >= ${LIMIT}`);
