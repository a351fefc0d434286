import { createServer } from "node:http";

export function serve({ middleware, waits, handlers }) {
  const end = (response, body) => {
    response.setHeader("content-type", "text/plain");
    response.end(body);
  };
  const listener = waits
    ? async (request, response) => end(response, await handlers[request.url](request, response))
    : (request, response) => end(response, handlers[request.url](request, response));
  return createServer(middleware === null ? listener : middleware(listener));
}
