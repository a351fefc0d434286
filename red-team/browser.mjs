/** Somebody's browser, as far as an attack needs one: it keeps the session's cookie and follows no redirect. */
export class Browser {
  constructor(url, cookie = "") {
    this.url = url;
    this.cookie = cookie;
  }

  /** The cookie's value. */
  get value() {
    return this.cookie.slice(this.cookie.indexOf("=") + 1);
  }

  async get(path = "/", headers = {}) {
    return this.#send(path, { headers });
  }

  /** A form of the page itself, unless the headers say otherwise. */
  async post(path, form = {}, headers = { "sec-fetch-site": "same-origin" }) {
    return this.#send(path, { method: "POST", body: new URLSearchParams(form), headers });
  }

  async signIn(name, device = "") {
    return this.post("/sign-in", { name, device });
  }

  /** Whom the page greets, and what the session says of itself. */
  async whoAmI() {
    const { text } = await this.get();
    return {
      user: fact(text, "info.userId"),
      cause: fact(text, "info.cause"),
      fields: fact(text, "session.data"),
      text,
    };
  }

  async #send(path, { headers, ...init }) {
    const cookie = this.cookie === "" ? {} : { cookie: this.cookie };
    const response = await fetch(this.url + path, { redirect: "manual", ...init, headers: { ...cookie, ...headers } });
    for (const line of response.headers.getSetCookie()) {
      const pair = line.split(";", 1)[0];
      if (pair.startsWith("sid=")) this.cookie = /max-age=0|expires=Thu, 01 Jan 1970/i.test(line) ? "" : pair;
    }
    return { status: response.status, headers: response.headers, text: await response.text() };
  }
}

/** A line of the page's facts: `null` where it says nothing. */
function fact(text, name) {
  const found = new RegExp(`${name.replace(".", "\\.")}</code></dt>\\s*<dd>([\\s\\S]*?)</dd>`).exec(text)?.[1];
  if (found === undefined) return null;
  const plain = found.replaceAll(/<[^>]*>/g, " ").trim();
  return plain === "" || plain === "none" ? null : plain;
}

/** Handles of the sessions that a signed-in page offers to end. */
export function handlesOn(text) {
  return [...text.matchAll(/name="handle" value="([^"]+)"/g)].map(([, handle]) => handle);
}
