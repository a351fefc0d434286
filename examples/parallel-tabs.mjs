// Fifty tabs of one browser at once: each sets a field of its own, and all count in one. Nothing is lost.
import { fastSession } from "fastsession/fetch";

const session = fastSession({ secretKey: process.env.SESSION_SECRET });
const open = session(async (request, session) => {
  const { searchParams } = new URL(request.url);
  await new Promise((resolve) => setTimeout(resolve, Math.random() * 5));
  session[`tab${searchParams.get("tab")}`] = true;
  session.increment("tabs");
  return new Response();
});
const read = session((request, session) => Response.json(session));

export async function openTabs(count) {
  const first = await open(new Request("https://shop.example/?tab=0"));
  const headers = { cookie: first.headers.getSetCookie()[0].split(";")[0] };
  const visit = (tab) => open(new Request(`https://shop.example/?tab=${tab}`, { headers }));
  await Promise.all(Array.from({ length: count - 1 }, (_, index) => visit(index + 1)));
  const { tabs, ...fields } = await (await read(new Request("https://shop.example/", { headers }))).json();
  return { tabs, fields: Object.keys(fields).length };
}

if (process.argv[1] === import.meta.filename) console.log(await openTabs(50));
