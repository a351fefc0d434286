/** A bar chart as SVG: what each peer adds to a request, case by case, with quartiles. Readable on light and dark. */
import { cases } from "./cases.mjs";
import { isOurs } from "./subjects.mjs";

const LEFT = 190;
const WIDTH = 760;
const BAR = 16;
const SPACE = WIDTH - LEFT - 90;

export function chart(framework, rows) {
  const longest = Math.max(...rows.map(({ addedQuartiles }) => addedQuartiles[1]), 1);
  const x = (micros) => LEFT + (Math.max(0, micros) / longest) * SPACE;
  const parts = [];
  let y = 44;
  for (const { name, title } of cases) {
    const of = rows.filter((row) => row.case === name);
    if (of.length === 0) continue;
    parts.push(`<text x="12" y="${y}" class="case">${name}: ${title}</text>`);
    y += 8;
    for (const row of of) {
      const [low, high] = row.addedQuartiles;
      const middle = y + BAR / 2;
      parts.push(
        `<text x="${LEFT - 8}" y="${middle + 4}" text-anchor="end">${row.peer}</text>`,
        `<rect x="${LEFT}" y="${y + 2}" width="${(x(row.addedMicros) - LEFT).toFixed(1)}" height="${BAR - 4}" class="${isOurs(row.peer) ? "ours" : "peer"}"/>`,
        `<line x1="${x(low).toFixed(1)}" x2="${x(high).toFixed(1)}" y1="${middle}" y2="${middle}"/>`,
        `<text x="${(x(high) + 6).toFixed(1)}" y="${middle + 4}">${row.addedMicros.toFixed(1)}</text>`,
      );
      y += BAR;
    }
    y += 26;
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${y}" role="img" aria-label="CPU microseconds that sessions add to a request on ${framework}, memory store">
<style>text{font:12px system-ui,sans-serif;fill:#57606a}.case{font-weight:600}.ours{fill:#2da44e}.peer{fill:#8c959f}line{stroke:#57606a;stroke-width:1.5}</style>
<text x="12" y="20" class="case">${framework}, memory: CPU µs added to a request over an empty middleware (median, quartiles)</text>
${parts.join("\n")}
</svg>
`;
}
