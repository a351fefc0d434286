// Two clicks on "pay", one payment: each request has the session alone while it decides.
import { serialize } from "fastsession";
import { fastSession } from "fastsession/fetch";

export const payments = [];

async function charge(cart) {
  await new Promise((resolve) => setTimeout(resolve, 5));
  payments.push(cart);
}

const session = fastSession({ secretKey: process.env.SESSION_SECRET });
const fill = session((request, session) => {
  session.cart = ["tea"];
  return new Response();
});
const pay = session(async (request, session) => {
  await serialize(session, { wait: 5, lease: 30 });
  if (session.paid) return new Response("paid already");
  await charge(session.cart);
  session.paid = true;
  return new Response("thank you");
});

export async function payTwice() {
  const first = await fill(new Request("https://shop.example/cart"));
  const headers = { cookie: first.headers.getSetCookie()[0].split(";")[0] };
  const click = async () => (await pay(new Request("https://shop.example/pay", { headers }))).text();
  return Promise.all([click(), click()]);
}

if (process.argv[1] === import.meta.filename) console.log(await payTwice(), payments);
