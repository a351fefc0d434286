/** What the demo knows of whoever sent a request. */
import type { Session } from "fastsession";
import type { SessionEnv } from "fastsession/hono";
import type { Context } from "hono";
import type { Product } from "./shop.ts";
import { type Language, type Texts, texts } from "./texts.ts";

/** The fields of a session. */
export interface Data {
  visits?: number;
  theme?: "auto" | "light" | "dark";
  language?: Language;
  cart?: Product[];
}

export type Env = SessionEnv<Data>;

/** Whether the session was ended from another browser, or went on under a new id in another tab. */
export function hasEnded(session: Session<Data>): boolean {
  return session.info.cause === "revoked" || session.info.cause === "rotated";
}

export function languageOf(c: Context<Env>): Language {
  return c.var.session.get("language", acceptedLanguage(c));
}

export function textsOf(c: Context<Env>): Texts {
  return texts[languageOf(c)];
}

/** What the browser asks for: it names its languages in the order of preference. */
export function acceptedLanguage(c: Context): Language {
  const wanted = /\b(en|ja)\b/i.exec(c.req.header("accept-language") ?? "")?.[1];
  return wanted?.toLowerCase() === "ja" ? "ja" : "en";
}

/** What a section of the page says once. */
export interface Notice {
  readonly section: "visits" | "cart" | "account";
  readonly text: string;
}

/** Back to a section of the page, with a notice. */
export function back(c: Context<Env>, section: Notice["section"], text: string): Response {
  c.var.session.flash("notice", { section, text } satisfies Notice);
  return c.redirect(`/#${section}`, 303);
}
