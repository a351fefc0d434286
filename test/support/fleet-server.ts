/** One process of a fleet: sessions on a SQLite file that the others share. Prints its port, ends with its input. */
import { createServer } from "node:http";
import { fastSession } from "../../src/adapters/node.ts";
import { SqliteStore } from "../../src/stores/sqlite.ts";

const session = fastSession({
  secretKey: "a secret of more than thirty-two bytes",
  secure: "auto",
  store: new SqliteStore(process.argv[2] as string),
  storeTimeout: 20,
});

/** Where the slow request says that it is under way, and where it waits to be told to go on. */
const entered = deferred();
const finished = deferred();

function deferred(): { promise: Promise<void>; resolve: () => void } {
  let resolve = (): void => undefined;
  const promise = new Promise<void>((done) => (resolve = done));
  return { promise, resolve };
}

const server = createServer(
  session(async (request, response) => {
    const url = new URL(request.url as string, "http://localhost");
    const field = url.searchParams.get("field") ?? "";
    switch (url.pathname) {
      case "/increment":
        request.session.increment("n");
        break;
      case "/set":
        request.session[field] = true;
        break;
      case "/login":
        await request.session.login(field);
        break;
      case "/logout":
        await request.session.logout();
        break;
      case "/slow-write":
        // Recorded now, saved when the response leaves.
        request.session["late"] = request.session.get("n", 0);
        entered.resolve();
        await finished.promise;
        break;
      case "/entered":
        await entered.promise;
        break;
      case "/finish":
        finished.resolve();
        break;
    }
    const { info } = request.session;
    response.end(JSON.stringify({ data: request.session.getSession(), cause: info.cause, userId: info.userId }));
  }),
);

server.listen(0, "127.0.0.1", () => {
  process.stdout.write(`${(server.address() as { port: number }).port}\n`);
});
process.stdin.on("end", () => process.exit(0)).resume();
