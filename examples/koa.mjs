import Koa from "koa";
import { fastSession } from "fastsession/koa";

export const app = new Koa();
app.use(fastSession({ secretKey: process.env.SESSION_SECRET }));
app.use((ctx) => (ctx.body = { visits: ctx.state.session.increment("visits") }));

if (process.argv[1] === import.meta.filename) app.listen(3000);
