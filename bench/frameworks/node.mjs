import { createServer } from "node:http";

export function serve({ middleware, handlers }) {
  const listener = (request, response) => {
    response.setHeader("content-type", "text/plain");
    response.end(handlers[request.url](request));
  };
  return createServer(middleware === null ? listener : middleware(listener));
}
