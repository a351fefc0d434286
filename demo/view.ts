/** What pages are made from. */
import type { Session, SessionSummary } from "fastsession";
import type { html } from "hono/html";
import type { Language } from "./texts.ts";
import type { Data, Notice } from "./visitor.ts";

export type Html = ReturnType<typeof html>;

export interface View {
  readonly session: Session<Data>;
  readonly language: Language;
}

export interface HomeView extends View {
  readonly notice: Notice | undefined;
  /** The user's sessions, this one included. */
  readonly devices: readonly SessionSummary[];
}
