import { createServer } from "node:http";
import express from "express";

export function serve({ middleware, handlers }) {
  const app = express();
  if (middleware !== null) app.use(middleware);
  for (const [path, handle] of Object.entries(handlers)) {
    app.get(path, (request, response) => response.send(handle(request)));
  }
  return createServer(app);
}
