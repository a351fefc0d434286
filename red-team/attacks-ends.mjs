/** Attacks on the end of a session: replay what ended, revive it, outrun it. */
import { Browser, handlesOn } from "./browser.mjs";

export const attacks = {
  "replay: the cookie from before the login": async ({ url }) => {
    const victim = new Browser(url);
    await victim.get();
    const stolen = victim.cookie;
    await victim.signIn("victim");
    const { user } = await new Browser(url, stolen).whoAmI();
    return user === null ? null : "the old cookie is signed in";
  },

  "replay: the cookie from before the logout": async ({ url }) => {
    const victim = new Browser(url);
    await victim.signIn("victim");
    const stolen = victim.cookie;
    await victim.post("/sign-out");
    const { user } = await new Browser(url, stolen).whoAmI();
    return user === null ? null : "a logged-out session lives on";
  },

  "replay: a device that was signed out from another one": async ({ url }) => {
    const laptop = new Browser(url);
    await laptop.signIn("replayed");
    const phone = new Browser(url);
    await phone.signIn("replayed");
    await laptop.post("/devices/end-others");
    const { user } = await phone.whoAmI();
    return user === null ? null : "the device is still signed in";
  },

  "resurrection: a slow request writes after the logout": async ({ url }) => {
    const victim = new Browser(url);
    await victim.signIn("victim");
    const stolen = victim.cookie;
    // Each waits inside its handler, between reading and writing, while the logout happens.
    const slow = Array.from({ length: 10 }, () => new Browser(url, stolen).post("/cart/add", { product: "tea" }));
    await victim.post("/sign-out");
    await Promise.all(slow);
    const { user, cause } = await new Browser(url, stolen).whoAmI();
    return user === null && cause !== "resumed" ? null : "the session came back";
  },

  "resurrection: a late request's response replaces the new cookie": async ({ url }) => {
    const victim = new Browser(url);
    await victim.get();
    const old = victim.cookie;
    const late = Array.from({ length: 10 }, () => new Browser(url, old));
    const running = late.map((tab) => tab.post("/cart/add", { product: "tea" }));
    await victim.signIn("victim");
    await Promise.all(running);
    // A tab that got a cookie of its own would put it into the same jar as the login's.
    for (const tab of late) {
      if (tab.cookie !== old && tab.cookie !== victim.cookie) return "a late response set another cookie";
    }
    const { user } = await victim.whoAmI();
    return user === "victim" ? null : "the login is lost";
  },

  "race: two logins of different users from one cookie": async ({ url }) => {
    const shared = new Browser(url);
    await shared.get();
    const ann = new Browser(url, shared.cookie);
    const bob = new Browser(url, shared.cookie);
    await Promise.all([ann.signIn("ann"), bob.signIn("bob")]);
    const users = [(await ann.whoAmI()).user, (await bob.whoAmI()).user];
    if (users[0] === "bob" || users[1] === "ann") return "one of them became the other";
    return ann.cookie === bob.cookie && users[0] !== users[1] ? "one cookie, two users" : null;
  },

  "somebody else's: end a stranger's session by its name": async ({ url }) => {
    const victim = new Browser(url);
    await victim.signIn("victim of handles");
    const second = new Browser(url);
    await second.signIn("victim of handles");
    const [handle] = handlesOn((await victim.get()).text);
    const attacker = new Browser(url);
    await attacker.signIn("attacker");
    await attacker.post("/devices/end", { handle: handle ?? "" });
    const { user } = await second.whoAmI();
    return user === "victim of handles" ? null : "a stranger ended the session";
  },
};
