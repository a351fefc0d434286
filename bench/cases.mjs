/** What a request does to its session: the five cases that every row of the results belongs to. */

export const USER_ID = "user_0123456789";

/** What a session holds: 188 bytes of JSON. */
export const content = {
  userId: USER_ID,
  counter: 0,
  locale: "en-GB",
  cart: [
    { sku: "SKU-10001", qty: 1, price: 1999 },
    { sku: "SKU-10002", qty: 2, price: 2999 },
    { sku: "SKU-10003", qty: 1, price: 999 },
  ],
};

/** In the order they run: `e` fills the store, so it comes last. */
export const cases = [
  { name: "a", title: "new visitor, untouched", path: "/untouched", cookie: false, body: "ok" },
  { name: "b", title: "returning, untouched", path: "/untouched", cookie: true, body: "ok" },
  { name: "c", title: "returning, reads a field", path: "/read", cookie: true, body: USER_ID },
  { name: "d", title: "returning, writes a field", path: "/write", cookie: true, body: "ok" },
  { name: "e", title: "new, writes four fields", path: "/create", cookie: false, body: "ok" },
];

/** A handler for each path. `at` is whatever the framework puts the session on. */
export const sessionHandlers = {
  "/untouched": () => "ok",
  "/read": (at) => at.session.userId,
  "/write": (at) => {
    const { session } = at;
    session.counter = session.counter + 1;
    return "ok";
  },
  "/create": (at) => {
    const { session } = at;
    session.userId = content.userId;
    session.counter = content.counter;
    session.locale = content.locale;
    session.cart = content.cart;
    return "ok";
  },
  "/counter": (at) => String(at.session.counter),
};

/** The same answers without a session. */
export const plainHandlers = {
  "/untouched": () => "ok",
  "/read": () => USER_ID,
  "/write": () => "ok",
  "/create": () => "ok",
  "/counter": () => "0",
};
