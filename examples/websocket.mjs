// WebSockets that close when their session ends: signed out, revoked or expired, here or in another process.
import { createServer } from "node:http";
import { createSessions } from "fastsession";
import { fastSession } from "fastsession/node";
import { WebSocketServer } from "ws";

export const sessions = createSessions({ secretKey: process.env.SESSION_SECRET });
const session = fastSession(sessions);

export const app = createServer(
  session(async (request, response) => {
    if (request.method === "POST" && request.url === "/login") await request.session.login("ann");
    if (request.method === "POST" && request.url === "/logout") await request.session.logout();
    response.end(request.session.info.userId ?? "nobody");
  }),
);

const sockets = new WebSocketServer({ noServer: true });
async function accept(request, socket, head) {
  // Browsers let every page open a WebSocket to everywhere, and send cookies along.
  if (new URL(request.headers.origin).host !== request.headers.host) throw new Error("another origin");
  const { info } = await sessions.open(request);
  if (info.userId === null) throw new Error("nobody");
  sockets.handleUpgrade(request, socket, head, (webSocket) => {
    info.signal.addEventListener("abort", () => webSocket.close(4401, info.signal.reason.cause));
    webSocket.send(`hello ${info.userId}`);
  });
}
app.on("upgrade", (request, socket, head) => {
  socket.on("error", () => socket.destroy());
  accept(request, socket, head).catch(() => socket.end("HTTP/1.1 401 Unauthorized\r\nConnection: close\r\n\r\n"));
});

if (process.argv[1] === import.meta.filename) app.listen(3000);
