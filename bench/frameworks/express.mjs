import { createServer } from "node:http";
import express from "express";

export async function serve({ middleware, use, handlers }) {
  const app = express();
  if (use) await use(app);
  else if (middleware !== null) app.use(middleware);
  for (const [path, handle] of Object.entries(handlers)) {
    app.get(path, (request, response) => response.send(handle(request, response)));
  }
  return createServer(app);
}
