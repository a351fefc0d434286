/**
 * One process of a fleet: sessions in a store that the others share. Prints its port, ends with its input.
 *
 * Arguments: the backend's name and address, and more options as JSON.
 */
import { createServer } from "node:http";
import { fastSession } from "../../src/adapters/node.ts";
import { createSessions } from "../../src/create-sessions.ts";
import type { FleetSettings } from "./fleet.ts";
import { type BackendName, openStore } from "./fleet-stores.ts";

const [name, address, settings] = process.argv.slice(2) as [BackendName, string, string];

/** How far this process's clock is off. */
let offset = 0;

const sessions = createSessions({
  secretKey: "a secret of more than thirty-two bytes",
  secure: "auto",
  store: await openStore(name, address),
  storeTimeout: 20,
  now: () => Date.now() + offset,
  ...(JSON.parse(settings) as FleetSettings),
});
/** Public names of the sessions whose old ids came late. */
const reused: (string | null)[] = [];
sessions.on("reuse", ({ handle }) => reused.push(handle));
const session = fastSession<Record<string, unknown>>(sessions);

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
    const value = url.searchParams.get("value") ?? "";
    const { session: own } = request;
    switch (url.pathname) {
      case "/increment":
        own.increment("n");
        own[value] = true;
        break;
      case "/set":
        own[value] = true;
        break;
      case "/add":
        own.increment("n");
        own.append("log", value);
        // Acknowledged or refused: a response without this lets go what an ended session recorded.
        await own.saveSession();
        break;
      case "/login":
        await own.login(value);
        break;
      case "/regenerate":
        await own.regenerate();
        break;
      case "/logout":
        await own.logout();
        break;
      case "/slow-write":
        // Recorded now, saved when the response leaves.
        own["late"] = own.get("n", 0);
        entered.resolve();
        await finished.promise;
        break;
      case "/entered":
        await entered.promise;
        break;
      case "/finish":
        finished.resolve();
        break;
      case "/revoke":
        return void response.end(JSON.stringify(await sessions.forUser(value).revokeAll()));
      case "/list": {
        const page = await sessions.forUser(value).list({ limit: 1000 });
        return void response.end(JSON.stringify(page.sessions.map(({ handle }) => handle)));
      }
      case "/reused":
        return void response.end(JSON.stringify(reused));
      case "/clock":
        offset = Number(value);
        break;
      case "/sweep":
        await sessions.gc();
        break;
    }
    const { cause, userId, handle } = own.info;
    response.end(JSON.stringify({ data: own.getSession(), cause, userId, handle }));
  }),
);

server.listen(0, "127.0.0.1", () => {
  process.stdout.write(`${(server.address() as { port: number }).port}\n`);
});
process.stdin.on("end", () => process.exit(0)).resume();
