import express from "express";
import { fastSession } from "fastsession/express";

export const app = express();
app.use(fastSession({ secretKey: process.env.SESSION_SECRET }));
app.get("/", (req, res) => res.json({ visits: req.session.increment("visits") }));

if (process.argv[1] === import.meta.filename) app.listen(3000);
