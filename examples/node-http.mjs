import { createServer } from "node:http";
import { fastSession } from "fastsession/node";

const session = fastSession({ secretKey: process.env.SESSION_SECRET });
export const app = createServer(session((req, res) => res.end(`${req.session.increment("visits")}`)));

if (process.argv[1] === import.meta.filename) app.listen(3000);
