// A store that was made for express-session, here the package memorystore. It says at start what it cannot promise.
import express from "express";
import session from "express-session";
import { fastSession } from "fastsession/express";
import { fromExpressStore } from "fastsession/stores/express-store";
import memorystore from "memorystore";

const MemoryStore = memorystore(session);
const store = fromExpressStore(new MemoryStore({ checkPeriod: 3_600_000 }));

export const app = express();
app.use(fastSession({ secretKey: process.env.SESSION_SECRET, store }));
app.get("/", (req, res) => res.json({ visits: req.session.increment("visits") }));

if (process.argv[1] === import.meta.filename) app.listen(3000);
