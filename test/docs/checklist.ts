/** The security checklist as data: its rows, and the tests that they name. */
import { documentAt } from "./markdown.ts";

export interface NamedTest {
  /** A file of tests, or of the contracts that tests run. */
  readonly file: string;
  /** The test's name or a part of it, with the placeholders of the source. */
  readonly name: string;
}

export interface ChecklistRow {
  readonly id: string;
  readonly state: "holds" | "open" | "decided against";
  /** It holds, and names what of the requirement it does not do. */
  readonly limited: boolean;
  readonly cells: readonly string[];
  readonly tests: readonly NamedTest[];
}

/** The tests that a cell names: `[words](../file): "name"`, one after the other. */
export function namedTests(cell: string): readonly NamedTest[] {
  const found = cell.matchAll(/\]\(\.\.\/([^)]+)\): "(.*?)"(?=; \[|$)/g);
  return [...found].map(([, file = "", name = ""]) => ({ file, name }));
}

/** The checklist of one language's page. */
export function checklist(path: string, heading: string): readonly ChecklistRow[] {
  return documentAt(path)
    .table(heading)
    .map((cells) => {
      const [id = "", , , what = "", named = ""] = cells;
      const state = what.startsWith("**open**")
        ? "open"
        : what.startsWith("**decided against**")
          ? "decided against"
          : "holds";
      const limited = state === "holds" && what.includes("**limit**: ");
      return { id, state, limited, cells, tests: namedTests(named) };
    });
}

export const rows: readonly ChecklistRow[] = checklist("docs/security.md", "Checklist");

/** What a name is called once its placeholders are filled in. */
export function patternOf(name: string): RegExp {
  const placeholder = /\$\{(?:[^{}]|\{[^{}]*\})*\}|%[#$a-z]|\$[a-z]\w*/gi;
  const fixed = name.split(placeholder).map((text) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(fixed.join(".*"), "s");
}
