/** A child process: one framework with one peer on one store, serving over HTTP and in process. */
import { cases } from "./cases.mjs";
import { answerCommands } from "./commands.mjs";
import { batch, cpuMicros, exchange } from "./in-process.mjs";

const [framework, peer, store] = process.argv.slice(2);
const SESSIONS = 1000;

const { serve } = await import(`./frameworks/${framework}.mjs`);
const { setUp } = await import(`./peers/${peer.replace("@", "").replace("/", "-")}.mjs`);
const server = await serve(await setUp(framework, store));
// The client keeps its connections while other servers have their turn.
server.keepAliveTimeout = 0;
let cookies = [];

const commands = {
  /** Sessions for returning visitors. */
  async seed() {
    while (cookies.length < SESSIONS) {
      const answer = await exchange(server, "/create");
      const set = [...answer.matchAll(/^set-cookie: ([^;\r]+)/gim)];
      if (set.length === 0) throw new Error(`no cookie in ${answer}`);
      cookies.push(set.map(([, cookie]) => cookie).join("; "));
    }
    return cookies;
  },
  /** For peers without sessions: cookies that cost as much to receive. */
  take(given) {
    cookies = given;
  },
  batch: ({ name, count }) =>
    batch(
      server,
      cases.find((one) => one.name === name),
      cookies,
      count,
    ),
  listen: () => new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(server.address().port))),
  cpu: cpuMicros,
};

answerCommands(commands);
