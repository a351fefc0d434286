/** Redraws the tables and charts of docs/performance.md from the results. */
import { readFileSync, writeFileSync } from "node:fs";
import { chart } from "./chart.mjs";
import { frameworks, isOurs } from "./subjects.mjs";

const page = new URL("../docs/performance.md", import.meta.url);
const image = (name) => new URL(`../docs/images/${name}`, import.meta.url);

export function redraw(results) {
  let text = readFileSync(page, "utf8");
  text = replaced(text, "run", introduction(results));
  text = replaced(text, "ours", ours(results.rows));
  text = replaced(text, "peers", peers(results.rows));
  writeFileSync(page, text);
  for (const framework of frameworks) {
    const rows = results.rows.filter((row) => row.framework === framework && row.store === "memory");
    if (rows.length > 0) writeFileSync(image(`performance-${framework}.svg`), chart(framework, rows));
  }
}

/** The tables of `bench:scale`. */
export function redrawScale({ machine, date, stored, expiry, shapes }) {
  const bare = (sessions) => stored.find((row) => row.kind === "Map" && row.sessions === sessions);
  const where = `${date.slice(0, 10)}, ${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB, ${machine.system}.`;
  const growth = markdown(
    ["store", "sessions", "bytes each", "against a Map of texts", "one more, µs", "longest one, ms"],
    stored.map(({ kind, sessions, bytes, createMicros, longestMillis }) => [
      kind,
      sessions.toLocaleString("en"),
      String(bytes),
      (bytes / bare(sessions).bytes).toFixed(2),
      createMicros.toFixed(2),
      longestMillis.toFixed(1),
    ]),
  );
  const ending = markdown(
    ["a million expire", "slices", "median, ms", "99.9th percentile, ms", "worst, ms", "longest delay of the loop, ms"],
    expiry.map((row) => [
      row.kind,
      String(row.slices),
      ...[row.medianMillis, row.p999Millis, row.worstMillis, row.loopMillis].map((value) => value.toFixed(1)),
    ]),
  );
  const requests = markdown(
    ["a request, in process", "CPU µs"],
    shapes.map(({ what, micros }) => [what, micros.toFixed(1)]),
  );
  writeFileSync(page, replaced(readFileSync(page, "utf8"), "scale", [where, growth, ending, requests].join("\n\n")));
}

function replaced(text, name, content) {
  const [begin, end] = [`<!-- bench ${name} -->`, `<!-- bench ${name} end -->`];
  const from = text.indexOf(begin);
  const to = text.indexOf(end);
  if (from === -1 || to === -1) throw new Error(`docs/performance.md lacks ${begin}`);
  return `${text.slice(0, from + begin.length)}\n\n${content}\n\n${text.slice(to)}`;
}

function introduction({ machine, versions, date, rows }) {
  const names = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  const foreign = Math.max(...rows.map((row) => row.foreignLoad));
  return [
    `${date.slice(0, 10)}, ${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB, ${machine.system}; ${machine.pinned ? "server and client on a core each" : "not pinned to cores"}; ${names.join(", ")}.`,
    `Other processes took up to ${Math.round(foreign * 100)} % of the servers' core.`,
  ].join("\n");
}

function ours(rows) {
  return markdown(
    ["framework", "store", "case", "over HTTP, µs", "in process, µs", "requests a second, against bare", "p99 ms"],
    rows
      .filter((row) => isOurs(row.peer))
      .map((row) => [
        row.framework,
        row.peer === "fastsession" ? row.store : `${row.store}, near cache`,
        row.case,
        spread(row),
        row.inProcess === null ? "" : spread(row.inProcess),
        row.ratio.toFixed(2),
        row.p99Millis.toFixed(1),
      ]),
  );
}

/** A line for each peer, whoever is faster. */
function peers(rows) {
  const lines = [];
  for (const row of rows) {
    if (isOurs(row.peer)) continue;
    const own = rows.find(
      (one) =>
        one.peer === "fastsession" &&
        one.framework === row.framework &&
        one.case === row.case &&
        one.store === (row.store === "cookie" ? "memory" : row.store),
    );
    lines.push([
      row.framework,
      row.peer,
      row.store,
      row.case,
      spread(row),
      own === undefined ? "" : spread(own),
      verdict(row, own),
    ]);
  }
  return markdown(["framework", "peer", "store", "case", "peer, µs", "fastsession, µs", "fastsession adds"], lines);
}

function verdict(row, own) {
  if (own === undefined) return "";
  const [low, high] = own.addedQuartiles;
  if (high >= row.addedQuartiles[0] && row.addedQuartiles[1] >= low) return "no difference";
  if (own.addedMicros > row.addedMicros) return `**more** (${times(own, row)})`;
  return `${times(row, own)} less`;
}

/** What is added may be too little to measure: then the factor is a least one, from the upper quartile. */
function times(more, less) {
  if (less.addedMicros > 0.5) return `${(more.addedMicros / less.addedMicros).toFixed(1)} ×`;
  return `at least ${(more.addedMicros / Math.max(0.5, less.addedQuartiles[1])).toFixed(0)} ×`;
}

function spread({ addedMicros, addedQuartiles: [low, high] }) {
  return `${addedMicros.toFixed(1)} (${low.toFixed(1)} to ${high.toFixed(1)})`;
}

function markdown(head, lines) {
  return [head, head.map(() => "---"), ...lines].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}
