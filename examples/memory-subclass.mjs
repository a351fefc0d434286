// The original's way to a store of one's own: a subclass of MemoryStore that overrides what it wants.
import Koa from "koa";
import { MemoryStore } from "fastsession";
import { fastSession } from "fastsession/koa";

export class AuditedStore extends MemoryStore {
  saves = 0;
  saveStore(id, data) {
    this.saves += 1;
    console.log("saved the fields", Object.keys(data));
    return super.saveStore(id, data);
  }
}

export const store = new AuditedStore();
export const app = new Koa();
app.use(fastSession({ secretKey: process.env.SESSION_SECRET, store }));
app.use((ctx) => (ctx.body = { visits: ctx.state.session.increment("visits") }));

if (process.argv[1] === import.meta.filename) app.listen(3000);
