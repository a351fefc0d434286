// Requests without a session: by header, as in the original, and by path. Their `session` is undefined.
import express from "express";
import { fastSession } from "fastsession/express";

export const app = express();
app.use(
  fastSession({
    secretKey: process.env.SESSION_SECRET,
    skipSessionHeader: [
      { headerName: "X-Health-Check", headerValue: "1" },
      { headerName: "X-ApiTest-Skip", headerValue: "*" },
    ],
    skip: ["/health", "/assets/*", /\.(png|css)$/, (request) => request.method === "OPTIONS"],
  }),
);
app.use((req, res) => res.json({ visits: req.session?.increment("visits") ?? null }));

if (process.argv[1] === import.meta.filename) app.listen(3000);
