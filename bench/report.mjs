import { aims } from "./aims.mjs";
import { cases } from "./cases.mjs";

export function head({ machine, versions }) {
  const names = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return [
    `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB, ${machine.system}; ${machine.pinned ? "server and client on a core each" : "NOT pinned to cores: expect more noise"}`,
    names.join(", "),
    cases.map(({ name, title }) => `${name}: ${title}`).join("; "),
    "ratio: requests per second over those of the bare framework. added: server CPU µs per request over an empty",
    "middleware's, over HTTP and in process. Medians, with quartiles in brackets.",
  ].join("\n");
}

const columns = [
  "framework",
  "peer",
  "store",
  "case",
  "rps",
  "ratio",
  "",
  "CPU µs",
  "added",
  "",
  "in process",
  "",
  "target",
  "less than the best peer",
  "p99 ms",
  "bare",
];

export function table(rows) {
  const lines = [columns, ...rows.map(cells)];
  const widths = columns.map((_, at) => Math.max(...lines.map((line) => line[at].length)));
  const text = lines.map((line) =>
    line.map((cell, at) => (at < 4 ? cell.padEnd(widths[at]) : cell.padStart(widths[at]))).join("  "),
  );
  const foreign = Math.max(...rows.map((row) => row.foreignLoad));
  const noise =
    foreign > 0.05 ? `\nnoisy: other processes took ${(foreign * 100).toFixed(0)} % of the server's core` : "";
  return `\n${text.map((line) => line.trimEnd()).join("\n")}${noise}`;
}

function cells(row) {
  const { inProcess, against } = row;
  return [
    row.framework,
    row.peer,
    row.store,
    row.case,
    String(row.rps),
    row.ratio.toFixed(2),
    range(row.ratioQuartiles, 2),
    row.cpuMicros.toFixed(1),
    row.addedMicros.toFixed(1),
    range(row.addedQuartiles, 1),
    inProcess === null ? "" : inProcess.addedMicros.toFixed(2),
    inProcess === null ? "" : range(inProcess.addedQuartiles, 2),
    verdict(row),
    against === undefined ? "" : `${against.least ? "≥ " : ""}${against.times} × ${against.holds ? "" : "(overlap)"}`,
    row.p99Millis.toFixed(1),
    row.bare.p99Millis.toFixed(1),
  ];
}

function range([low, high], digits) {
  return `[${low.toFixed(digits)} ${high.toFixed(digits)}]`;
}

/** What was aimed at, where it was: over HTTP, and in process. */
function verdict({ peer, store, framework, case: name, addedMicros, inProcess }) {
  const aim = aims.find(
    (one) => one.peer === peer && one.store === store && one.case === name && one.frameworks.includes(framework),
  );
  if (aim === undefined) return "";
  const parts = [];
  if (aim.http !== null) parts.push(`http ≤ ${aim.http} ${addedMicros <= aim.http ? "met" : "missed"}`);
  if (aim.inProcess !== null) {
    parts.push(`in process ≤ ${aim.inProcess} ${inProcess.addedMicros <= aim.inProcess ? "met" : "missed"}`);
  }
  return parts.join(", ");
}
