import { cases, targeted } from "./cases.mjs";

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
  "store",
  "case",
  "rps",
  "ratio",
  "",
  "CPU µs",
  "added",
  "",
  "target",
  "in process",
  "",
  "p99 ms",
  "bare",
];

export function table(rows) {
  const lines = [columns, ...rows.map(cells)];
  const widths = columns.map((_, at) => Math.max(...lines.map((line) => line[at].length)));
  const text = lines.map((line) =>
    line.map((cell, at) => (at < 3 ? cell.padEnd(widths[at]) : cell.padStart(widths[at]))).join("  "),
  );
  const foreign = Math.max(...rows.map((row) => row.foreignLoad));
  const noise =
    foreign > 0.05 ? `\nnoisy: other processes took ${(foreign * 100).toFixed(0)} % of the server's core` : "";
  return `\n${text.map((line) => line.trimEnd()).join("\n")}${noise}`;
}

function cells(row) {
  const { inProcess } = row;
  return [
    row.framework,
    row.store,
    row.case,
    String(row.rps),
    row.ratio.toFixed(2),
    range(row.ratioQuartiles, 2),
    row.cpuMicros.toFixed(1),
    row.addedMicros.toFixed(1),
    range(row.addedQuartiles, 1),
    verdict(row),
    inProcess.addedMicros.toFixed(2),
    range(inProcess.addedQuartiles, 2),
    row.p99Millis.toFixed(1),
    row.bare.p99Millis.toFixed(1),
  ];
}

function range([low, high], digits) {
  return `[${low.toFixed(digits)} ${high.toFixed(digits)}]`;
}

function verdict(row) {
  if (row.peer !== "fastsession" || row.store !== "memory" || !targeted.includes(row.framework)) return "";
  const { target } = cases.find((one) => one.name === row.case);
  const { addedMicros } = target <= 1 ? row.inProcess : row;
  return `≤ ${target} ${addedMicros <= target ? "met" : "missed"}`;
}
