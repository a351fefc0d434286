/** Attacks on the id: guessing it, choosing it, keeping it. */
import { createHmac, randomBytes } from "node:crypto";
import { deflateRawSync, deflateSync } from "node:zlib";
import { Browser } from "./browser.mjs";

/** Whether any of the cookies gets its bearer into a session. */
async function anyAccepted(url, values, judge) {
  for (const value of values) {
    const thief = new Browser(url, `sid=${value}`);
    const { user, cause } = await thief.whoAmI();
    if (judge({ user, cause, kept: thief.value === value })) return `the cookie ${value.slice(0, 12)}… was accepted`;
  }
  return null;
}

export const attacks = {
  "fixation: plant a session, wait for its user to sign in": async ({ url }) => {
    const attacker = new Browser(url);
    await attacker.get();
    const victim = new Browser(url, attacker.cookie);
    await victim.signIn("victim");
    const { user } = await attacker.whoAmI();
    return user === "victim" ? "the planted cookie is signed in" : null;
  },

  "adoption: choose an id of your own": async ({ url }) => {
    const ids = ["1".repeat(36), randomBytes(27).toString("base64url"), "admin", "../../etc/passwd", "' OR 1=1 --"];
    return anyAccepted(url, ids, ({ kept, cause }) => kept || cause === "resumed");
  },

  "bit flips: change any character of a cookie": async ({ url }) => {
    const victim = new Browser(url);
    await victim.signIn("victim");
    const { value } = victim;
    const flipped = Array.from(value, (character, at) => {
      const other = character === "A" ? "B" : "A";
      return character === "." ? value : value.slice(0, at) + other + value.slice(at + 1);
    }).filter((text) => text !== value);
    return anyAccepted(url, flipped, ({ user }) => user === "victim");
  },

  "stripping: leave the signature out, or a part of it": async ({ url }) => {
    const victim = new Browser(url);
    await victim.signIn("victim");
    const { value } = victim;
    const parts = value.split(".");
    const stripped = [
      parts[0],
      `${parts[0]}.`,
      parts.slice(0, -1).join("."),
      `${parts.slice(0, -1).join(".")}.`,
      value.slice(0, -1),
      `${value}A`,
      `${value}=`,
    ];
    return anyAccepted(url, stripped, ({ user }) => user === "victim");
  },

  "forged algorithm: a token that says it needs no signature": async ({ url }) => {
    const victim = new Browser(url);
    await victim.signIn("victim");
    const id = victim.value.split(".")[0];
    const text = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const tokens = ["none", "None", "HS256"].map(
      (alg) => `${text({ alg, typ: "JWT" })}.${text({ id, sub: "victim" })}.`,
    );
    return anyAccepted(url, tokens, ({ user }) => user === "victim");
  },

  "key confusion: a signature that the same secret made for something else": async ({ url, secret }) => {
    const victim = new Browser(url);
    await victim.signIn("victim");
    const [id, start] = victim.value.split(".");
    // Whoever can have short texts signed under the secret: password resets, links in mails, other cookies.
    const message = `${id}.${start}`;
    const macs = ["sha1", "sha256", "sha512"].flatMap((digest) =>
      [secret, `${secret}signer`, `itsdangerous.Signersigner${secret}`].map((key) =>
        createHmac(digest, key).update(message).digest("base64url"),
      ),
    );
    const values = macs.flatMap((mac) => [
      `${message}.${mac}`,
      `s:${id}.${mac}`,
      `${Buffer.from(id).toString("base64url")}.${mac}`,
    ]);
    return anyAccepted(url, values, ({ user }) => user === "victim");
  },

  "a bomb: a small cookie that inflates to megabytes": async ({ url }) => {
    const zeros = Buffer.alloc(1 << 21);
    const values = [deflateSync(zeros), deflateRawSync(zeros)].map(
      (bomb) => `.${bomb.toString("base64url").slice(0, 4000)}.aaaaaa.${"A".repeat(27)}`,
    );
    for (const value of values) {
      const { status } = await new Browser(url, `sid=${value}`).get();
      if (status !== 200) return `the server answered ${status}`;
    }
    return anyAccepted(url, values, ({ kept, cause }) => kept || cause === "resumed");
  },

  "prediction: learn the next id from two hundred others": async ({ url }) => {
    const ids = [];
    for (let visitor = 0; visitor < 200; visitor++) {
      const browser = new Browser(url);
      await browser.get();
      ids.push(browser.value.split(".")[0]);
    }
    if (new Set(ids).size < ids.length) return "an id came twice";
    // Characters that never change carry nothing: what varies has to be 128 bits at least.
    const varying = Array.from({ length: ids[0].length }, (_, at) => new Set(ids.map((id) => id[at])).size).filter(
      (kinds) => kinds > 20,
    );
    return varying.length * 6 < 128 ? `only ${varying.length} characters vary` : null;
  },
};
