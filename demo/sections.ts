/** The four sections of the page. */
import { html } from "hono/html";
import { ago, browserName, duration, instant, number, yen } from "./formats.ts";
import { pictures, prices, type Product, products } from "./shop.ts";
import { texts } from "./texts.ts";
import type { HomeView, Html, View } from "./view.ts";

export function visitsSection(view: HomeView): Html {
  const { session, language } = view;
  const t = texts[language];
  const visits = session.get("visits", 0);
  return section(
    view,
    "visits",
    t.visits,
    html`<p class="count">
        <b>${number(visits, language)}</b>
        <span>${t.visitCount(visits)}</span>
      </p>
      <form class="line" method="post" action="/burst">
        <button>${t.burst}</button>
        <p class="hint">${t.burstHint}</p>
      </form>`,
  );
}

export function cartSection(view: HomeView): Html {
  const { session, language } = view;
  const t = texts[language];
  const cart = session.get("cart", []);
  const total = cart.reduce((sum, product) => sum + prices[product], 0);
  const row = (product: Product): Html => {
    const name = t.products[product];
    const count = cart.filter((item) => item === product).length;
    return html`<li>
      <svg class="picture" viewBox="0 0 24 24" aria-hidden="true"><path d="${pictures[product]}" /></svg>
      <span class="grow"><b>${name}</b><small>${yen(prices[product], language)}</small></span>
      <form class="stepper" method="post" action="/cart/add">
        <input type="hidden" name="product" value="${product}" />
        ${
          count > 0 &&
          html`<button formaction="/cart/remove" aria-label="${t.removeOne(name)}">−</button>
            <span><span class="unseen">${t.inCart(name)}</span> ${number(count, language)}</span>`
        }
        <button aria-label="${t.addOne(name)}">${count > 0 ? "+" : t.add}</button>
      </form>
    </li>`;
  };
  return section(
    view,
    "cart",
    t.cart,
    html`<ul class="rows">
        ${products.map(row)}
      </ul>
      <form class="line" method="post" action="/cart/empty">
        <p class="total">${t.total} <b>${yen(total, language)}</b></p>
        ${cart.length > 0 && html`<button class="quiet">${t.empty}</button>`}
      </form>
      <p class="hint">${t.cartHint}</p>`,
  );
}

export function accountSection(view: HomeView): Html {
  const t = texts[view.language];
  return section(view, "account", t.account, view.session.info.userId === null ? signInForm(view) : devices(view));
}

function signInForm({ language }: View): Html {
  const t = texts[language];
  return html`<form class="fields" method="post" action="/sign-in">
    <label for="name">${t.name}</label>
    <input id="name" name="name" required maxlength="40" autocomplete="username" aria-describedby="name-hint" />
    <p class="hint" id="name-hint">${t.nameHint} <code>session.login()</code></p>
    <label for="device">${t.device} <small>${t.optional}</small></label>
    <input id="device" name="device" maxlength="40" autocomplete="off" />
    <label class="check"><input type="checkbox" name="keep" /> ${t.keep}</label>
    <button class="primary">${t.signIn}</button>
  </form>`;
}

function devices({ session, language, devices }: HomeView): Html {
  const t = texts[language];
  const { handle, userId } = session.info;
  const since = (at: number): string => ago(Math.max(0, Date.now() - at) / 1000, language);
  const row = ({ handle: other, metadata, boundAt, lastUsedAt }: HomeView["devices"][number]): Html => {
    const name = metadata["label"] || browserName(metadata["userAgent"] ?? "", t);
    const end = html`<form method="post" action="/devices/end">
      <button name="handle" value="${other}" aria-label="${t.endDeviceOf(name)}">${t.endDevice}</button>
    </form>`;
    return html`<li>
      <span class="grow"><b>${name}</b><small>${t.deviceTimes(since(boundAt), since(lastUsedAt))}</small></span>
      ${other === handle ? html`<span class="badge">${t.thisDevice}</span>` : end}
    </li>`;
  };
  return html`<p>${t.signedInAs} <b>${userId}</b></p>
    <h3>${t.devices}</h3>
    <ul class="rows">
      ${devices.map(row)}
    </ul>
    <p class="hint">${t.devicesHint}</p>
    <form class="line" method="post" action="/sign-out">
      <button class="primary">${t.signOut}</button>
      ${devices.length > 1 && html`<button formaction="/devices/end-others">${t.signOutElsewhere}</button>`}
    </form>`;
}

export function factsSection(view: HomeView): Html {
  const { session, language } = view;
  const t = texts[language];
  const { info } = session;
  const fact = (name: string, label: string, value: string | Html | null): Html =>
    html`<div>
      <dt>${label}<code>${name}</code></dt>
      <dd>${value ?? t.none}</dd>
    </div>`;
  const facts = [
    fact("info.cause", t.cause, html`${t.causes[info.cause]}<code>${info.cause}</code>`),
    fact("info.isSaved", t.saved, info.isSaved ? t.yes : t.no),
    fact("info.age", t.age, info.age === null ? null : duration(info.age, language)),
    fact("info.timeLeft", t.timeLeft, info.timeLeft === null ? null : duration(info.timeLeft, language)),
    fact("info.expiresAt", t.expires, info.expiresAt === null ? null : instant(info.expiresAt, language)),
    fact("info.userId", t.user, info.userId),
    fact("info.idHash", t.hash, html`<code>${info.idHash}</code>`),
    fact("session.data", t.fields, Object.keys(session.data).join(", ")),
  ];
  return section(
    view,
    "facts",
    t.facts,
    html`<dl>${facts}</dl>
      <p class="hint">${t.hashHint}</p>`,
  );
}

function section({ notice }: HomeView, id: string, title: string, content: Html): Html {
  return html`<section id="${id}" aria-labelledby="${id}-title">
    <h2 id="${id}-title">${title}</h2>
    ${notice?.section === id && html`<p class="notice" role="status">${notice.text}</p>`} ${content}
  </section>`;
}
