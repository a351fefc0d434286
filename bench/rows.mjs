import { median, quartiles } from "./statistics.mjs";

/**
 * One row of the results. Differences and ratios are taken within a round, before the medians.
 *
 * `http` has bursts and `inProcess` CPU µs a request, each round of the `subject` and of the baselines; peers are not measured in process.
 */
export function row(identity, http, inProcess) {
  const ratios = http.subject.map((burst, round) => burst.rps / http.bare[round].rps);
  const added = http.subject.map((burst, round) => burst.cpuMicros - http.empty[round].cpuMicros);
  return {
    ...identity,
    ...averages(http.subject),
    ratio: rounded(median(ratios), 3),
    ratioQuartiles: quartiles(ratios).map((value) => rounded(value, 3)),
    addedMicros: rounded(median(added)),
    addedQuartiles: quartiles(added).map((value) => rounded(value)),
    rounds: http.subject.length,
    foreignLoad: rounded(median([...http.subject, ...http.empty].map(({ foreign }) => foreign)), 3),
    bare: averages(http.bare),
    empty: averages(http.empty),
    inProcess: inProcess === null ? null : withoutNetwork(inProcess),
  };
}

function withoutNetwork({ subject, empty }) {
  const added = subject.map((micros, round) => micros - empty[round]);
  return {
    cpuMicros: rounded(median(subject)),
    addedMicros: rounded(median(added)),
    addedQuartiles: quartiles(added).map((value) => rounded(value)),
    rounds: subject.length,
  };
}

function averages(bursts) {
  return {
    rps: Math.round(median(bursts.map(({ rps }) => rps))),
    cpuMicros: rounded(median(bursts.map(({ cpuMicros }) => cpuMicros))),
    p99Millis: rounded(median(bursts.map(({ p99Millis }) => p99Millis))),
  };
}

function rounded(value, digits = 2) {
  return Number(value.toFixed(digits));
}
