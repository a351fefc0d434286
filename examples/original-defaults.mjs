// The Python original's behaviour and names: its cookie, a session for every visitor, its methods in camelCase.
import express from "express";
import { originalDefaults } from "fastsession";
import { fastSession } from "fastsession/express";

export const app = express();
app.use(
  fastSession({
    ...originalDefaults,
    secretKey: process.env.SESSION_SECRET,
    skipSessionHeader: { headerName: "X-ApiTest-Skip", headerValue: "skip" },
  }),
);
app.get("/", (req, res) => {
  const session = req.session.getSession();
  session["counter"] = req.session.get("counter", 0) + 1;
  res.json({ counter: session["counter"], cause: req.session.info.cause });
});
app.post("/clear", (req, res) => {
  req.session.clearSession();
  res.send(req.session.getSessionId());
});

if (process.argv[1] === import.meta.filename) app.listen(3000);
