/** Whole pages. `html` escapes all that is put into it. */
import { html } from "hono/html";
import { accountSection, cartSection, factsSection, visitsSection } from "./sections.ts";
import { type Language, texts } from "./texts.ts";
import type { HomeView, Html, View } from "./view.ts";

export function homePage(view: HomeView): Html {
  const { session, language } = view;
  const t = texts[language];
  const switches = html`<div class="switches">
    ${choices("language", t.language, { en: "English", ja: "日本語" }, language)}
    ${choices("theme", t.theme, t.themes, session.get("theme", "auto"))}
  </div>`;
  const main = html`${intro(t.headline, t.lead)}

    <div class="sections">
      ${visitsSection(view)} ${cartSection(view)} ${accountSection(view)} ${factsSection(view)}
    </div>`;
  return layout(view, main, switches);
}

/** For a browser whose session was ended from elsewhere. */
export function endedPage(view: View): Html {
  const t = texts[view.language];
  const form = html`<form method="post" action="/go-on"><button class="primary">${t.goOn}</button></form>`;
  return layout(view, intro(t.ended, t.endedLead, form));
}

export function problemPage(language: Language, status: number): Html {
  const { problem, problems, home } = texts[language];
  const text = Object.hasOwn(problems, status) ? problems[status as keyof typeof problems] : problems.other;
  return layout({ language }, intro(problem, text, html`<a class="button" href="/">${home}</a>`));
}

function layout({ language, session }: Partial<View> & Pick<View, "language">, main: Html, switches?: Html): Html {
  return html`<!doctype html>
    <html lang="${language}" data-theme="${session?.get("theme") ?? "auto"}">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${texts[language].title}</title>
        <link rel="icon" href="/icon.svg" type="image/svg+xml" />
        <link rel="stylesheet" href="/style.css" />
      </head>
      <body>
        <header>
          <a class="brand" href="/"><img src="/icon.svg" alt="" width="32" height="32" />fastsession</a>
          ${switches}
        </header>
        <main>${main}</main>
      </body>
    </html>`;
}

function intro(title: string, text: string, action?: Html): Html {
  return html`<div class="intro">
    <h1>${title}</h1>
    <p>${text}</p>
    ${action}
  </div>`;
}

/** A row of buttons, one of which is pressed. */
function choices(name: string, label: string, options: Record<string, string>, current: string): Html {
  return html`<form method="post" action="/${name}">
    <fieldset class="choices">
      <legend class="unseen">${label}</legend>
      ${Object.entries(options).map(
        ([value, text]) =>
          html`<button name="${name}" value="${value}" aria-pressed="${String(value === current)}">${text}</button>`,
      )}
    </fieldset>
  </form>`;
}
