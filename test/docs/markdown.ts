/** The documents of the repository, taken apart as far as the tests of this folder need it. */
import { readFileSync } from "node:fs";
import { join, posix } from "node:path";
import { filesBelow, repository } from "../support/source-files.ts";

export interface CodeBlock {
  readonly document: string;
  /** Of the opening fence, from 1. */
  readonly line: number;
  /** The nearest heading above, without its marks. */
  readonly heading: string;
  readonly language: string;
  readonly code: string;
}

export interface Link {
  readonly document: string;
  readonly line: number;
  readonly target: string;
}

/** A row of a table, its cells trimmed, and the heading of its section. */
export interface TableRow {
  readonly heading: string;
  readonly cells: readonly string[];
}

export class Markdown {
  readonly path: string;
  readonly blocks: CodeBlock[] = [];
  readonly links: Link[] = [];
  readonly rows: TableRow[] = [];
  /** The number of marks of each heading, in order. */
  readonly levels: number[] = [];
  /** What `#…` may point at, as GitHub names headings. */
  readonly anchors: Set<string> = new Set();

  constructor(path: string) {
    this.path = path;
    const lines = readFileSync(join(repository, path), "utf8").split("\n");
    let heading = "";
    let section = "";
    for (let at = 0; at < lines.length; at += 1) {
      const line = lines[at] as string;
      const fence = /^```(\w*)/.exec(line);
      if (fence !== null) {
        const end = lines.indexOf("```", at + 1);
        const code = lines.slice(at + 1, end).join("\n");
        this.blocks.push({ document: path, line: at + 1, heading, language: fence[1] as string, code });
        at = end;
        continue;
      }
      const title = /^(#+) (.*)$/.exec(line);
      if (title !== null) {
        heading = title[2] as string;
        if (title[1] === "##") section = heading;
        this.levels.push((title[1] as string).length);
        this.anchors.add(slug(heading));
      }
      if (line.startsWith("|")) this.rows.push({ heading: section, cells: cellsOf(line) });
      for (const [, link, image] of withoutCode(line).matchAll(/\]\(([^)\s]+)\)|\bsrc="([^"]+)"/g)) {
        this.links.push({ document: path, line: at + 1, target: link ?? image ?? "" });
      }
    }
  }

  /** The rows of all tables in a section, heads and rules aside. */
  table(heading: string): readonly (readonly string[])[] {
    return this.rows
      .filter((row) => row.heading === heading)
      .map(({ cells }) => cells)
      .filter((cells, at, all) => !isRule(cells) && !isRule(all[at + 1] ?? []));
  }

  /** A link's file, relative to the repository, and its anchor. */
  resolve(target: string): { readonly file: string; readonly anchor: string | undefined } {
    const [file = "", anchor] = target.split("#", 2);
    return { file: file === "" ? this.path : posix.join(posix.dirname(this.path), file), anchor };
  }
}

/** Every document whose code, links and anchors are checked. Translations have the same code and other words. */
export const documents: readonly Markdown[] = [
  "README.md",
  "README.ja.md",
  "CHANGELOG.md",
  "CONTRIBUTING.md",
  "SECURITY.md",
  "examples/README.md",
  ...filesBelow("docs")
    .filter((path) => path.endsWith(".md"))
    .map((path) => `docs/${path}`),
].map((path) => new Markdown(path));

export function documentAt(path: string): Markdown {
  const found = documents.find((one) => one.path === path);
  if (found === undefined) throw new Error(`no document ${path}`);
  return found;
}

function isRule(cells: readonly string[]): boolean {
  return cells.length > 0 && cells.every((cell) => /^:?-+:?$/.test(cell));
}

function cellsOf(line: string): string[] {
  return line
    .replace(/^\||\|\s*$/g, "")
    .split(/(?<!\\)\|/)
    .map((cell) => cell.trim());
}

function withoutCode(line: string): string {
  return line.replace(/`[^`]*`/g, "");
}

function slug(heading: string): string {
  return heading
    .replace(/\[([^\]]*)\]\([^)]*\)/g, "$1")
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, "")
    .replace(/\s/g, "-");
}
