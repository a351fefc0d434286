/** The cart: a list to which every tab may add. */
import { Hono } from "hono";
import { CART_SIZE, isProduct } from "./shop.ts";
import { back, type Env, textsOf } from "./visitor.ts";
import { work } from "./work.ts";

export function cartRoutes(): Hono<Env> {
  const app = new Hono<Env>();

  app.post("/cart/add", async (c) => {
    const { session } = c.var;
    const { product } = await c.req.parseBody();
    const { notices, products } = textsOf(c);
    if (!isProduct(product)) return c.redirect("/#cart", 303);
    if (session.get("cart", []).length >= CART_SIZE) return back(c, "cart", notices.full);
    await work();
    session.append("cart", product);
    return back(c, "cart", notices.added(products[product]));
  });

  app.post("/cart/remove", async (c) => {
    const { product } = await c.req.parseBody();
    c.var.session.update("cart", (cart = []) => {
      const last = cart.findLastIndex((name) => name === product);
      return cart.filter((_, index) => index !== last);
    });
    return c.redirect("/#cart", 303);
  });

  app.post("/cart/empty", (c) => {
    c.var.session.delete("cart");
    return back(c, "cart", textsOf(c).notices.emptied);
  });

  return app;
}
