/** What the demo sells. */
export type Product = "notebook" | "pencil" | "tea";

/** In yen. */
export const prices: Readonly<Record<Product, number>> = { notebook: 480, pencil: 120, tea: 650 };

/** As lines in a square of 24 by 24. */
export const pictures: Readonly<Record<Product, string>> = {
  notebook: "M7 3h11a1 1 0 0 1 1 1v16a1 1 0 0 1-1 1H7a2 2 0 0 1-2-2V5a2 2 0 0 1 2-2zM9 3v18M12.5 8H16",
  pencil: "M4 20l1-4L16.5 4.5a2.1 2.1 0 0 1 3 3L8 19zM14.5 6.5l3 3",
  tea: "M5 9h12v5a5 5 0 0 1-5 5h-2a5 5 0 0 1-5-5zM17 10h1.5a2.2 2.2 0 0 1 0 4.5H17M9 3c-1 1.2 1 2 0 3.2M13 3c-1 1.2 1 2 0 3.2M5 22h12",
};

export const products = Object.keys(prices) as readonly Product[];

/** More than this many things do not fit into the cart. */
export const CART_SIZE = 99;

export function isProduct(name: unknown): name is Product {
  return products.includes(name as Product);
}
