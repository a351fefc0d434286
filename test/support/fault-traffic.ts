/**
 * An HTTP server with sessions in a store that gets into trouble, and browsers that go on asking meanwhile. Each has a
 * user of its own and a marker in its session, and holds what it is answered against what it knows.
 */
import { Agent, createServer, get, type IncomingHttpHeaders, type Server } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { fastSession } from "../../src/adapters/node.ts";
import type { SessionStore } from "../../src/core/session-store.ts";

/** What an answer may take beyond `storeTimeout`. */
const SLACK = 1000;
const TICK = 50;

const SILENT = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

interface Answer {
  readonly status: number;
  readonly body: string;
  readonly headers: IncomingHttpHeaders;
}

interface Told {
  readonly token: string;
  readonly marker: string | null;
  readonly userId: string | null;
  readonly log: readonly string[];
}

export class Traffic {
  /** What must not happen, and did: each kind once. */
  readonly faults = new Set<string>();
  readonly #server: Server;
  readonly #agent = new Agent({ keepAlive: true });
  readonly #limit: number;
  /** Time in which this process ran: a machine that does something else for a second makes nothing late. */
  #ticks = 0;
  readonly #clock = setInterval(() => (this.#ticks += 1), TICK);
  #tokens = 0;

  private constructor(server: Server, storeTimeout: number) {
    this.#server = server;
    this.#limit = (storeTimeout * 1000 + SLACK) / TICK + 1;
  }

  /** @param storeTimeout in seconds */
  static async start(store: SessionStore, storeTimeout: number): Promise<Traffic> {
    const secretKey = "a secret of more than thirty-two bytes";
    const session = fastSession<{ marker?: string; log?: string[] }>({
      secretKey,
      secure: "auto",
      store,
      storeTimeout,
      logger: SILENT,
    });
    const server = createServer(
      session(async (request, response) => {
        const { pathname, searchParams } = new URL(request.url as string, "http://localhost");
        const token = searchParams.get("token") as string;
        const { session: own } = request;
        if (pathname === "/login") {
          own.marker = token;
          await own.login(token);
        } else if (pathname === "/add") own.append("log", token);
        else if (pathname === "/renew") await own.touch();
        else if (pathname === "/regenerate") await own.regenerate();
        else if (pathname === "/logout") await own.logout();
        const told: Told = { token, marker: own.marker ?? null, userId: own.info.userId, log: own.log ?? [] };
        response.end(JSON.stringify(told));
      }),
    );
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return new Traffic(server, storeTimeout);
  }

  token(): string {
    return `token ${(this.#tokens += 1)}`;
  }

  async send(path: string, token: string, cookie = ""): Promise<Answer> {
    const { port } = this.#server.address() as AddressInfo;
    const url = `${path}?token=${encodeURIComponent(token)}`;
    const begun = this.#ticks;
    const answer = await new Promise<Answer>((resolve, reject) => {
      const request = get({ port, agent: this.#agent, host: "127.0.0.1", path: url, headers: { cookie } });
      request.on("error", reject);
      request.on("response", (response) => {
        let body = "";
        response.setEncoding("utf8");
        response.on("data", (chunk: string) => (body += chunk));
        response.on("error", reject);
        response.on("end", () => resolve({ status: response.statusCode as number, body, headers: response.headers }));
      });
    });
    if (this.#ticks - begun > this.#limit) this.faults.add(`${path} was answered after ${this.#ticks - begun} ticks`);
    if (answer.status === 503 && answer.headers["set-cookie"] !== undefined) this.faults.add("a 503 has a cookie");
    if (![200, 503].includes(answer.status)) this.faults.add(`${path} was answered ${answer.status} ${answer.body}`);
    return answer;
  }

  async stop(): Promise<void> {
    clearInterval(this.#clock);
    this.#agent.destroy();
    this.#server.close();
    await once(this.#server, "close");
  }
}

export class TrafficBrowser {
  answered = 0;
  failed = 0;
  readonly marker: string;
  readonly #traffic: Traffic;
  readonly #acknowledged = new Set<string>();
  readonly #possible = new Set<string>();
  #cookie = "";
  /** A call that was not answered may have ended its session. */
  #doubtful = false;

  constructor(traffic: Traffic, marker: string) {
    this.#traffic = traffic;
    this.marker = marker;
  }

  /** Signs in: until it does, it is a visitor without a session. */
  async login(): Promise<boolean> {
    const { status, headers } = await this.#traffic.send("/login", this.marker);
    this.#cookie = headers["set-cookie"]?.[0]?.split(";", 1)[0] ?? "";
    return status === 200;
  }

  /** Asks for what ends the id that it has. It keeps its cookie: nobody will tell it another one. */
  async leave(path: "/logout" | "/regenerate"): Promise<number> {
    this.#doubtful = true;
    return (await this.#traffic.send(path, this.marker, this.#cookie)).status;
  }

  /** A read, a write and a renewal at once. */
  async round(): Promise<void> {
    await Promise.all([this.add(), this.#ask("/", this.#traffic.token()), this.#ask("/renew", this.#traffic.token())]);
  }

  /** Adds to the log of its session. */
  async add(): Promise<void> {
    const token = this.#traffic.token();
    this.#possible.add(token);
    if ((await this.#ask("/add", token)) !== null) this.#acknowledged.add(token);
  }

  /** Holds its whole log against what it was told. Answers whether the store answered. */
  async check(): Promise<boolean> {
    const { failed } = this;
    const acknowledged = [...this.#acknowledged];
    const told = await this.#ask("/", this.#traffic.token());
    if (told === null) return this.failed === failed;
    const { faults } = this.#traffic;
    const log = new Set(told.log);
    if (log.size !== told.log.length) faults.add("an addition appears twice");
    if (acknowledged.some((token) => !log.has(token))) faults.add("an acknowledged addition is lost");
    if (told.log.some((token) => !this.#possible.has(token))) faults.add("an addition of another session is there");
    return true;
  }

  /** One request with its cookie. `null`: the store failed, or the session has ended where it may have. */
  async #ask(path: string, token: string): Promise<Told | null> {
    const { status, body, headers } = await this.#traffic.send(path, token, this.#cookie);
    if (status !== 200) {
      this.failed += 1;
      return null;
    }
    const { faults } = this.#traffic;
    const told = JSON.parse(body) as Told;
    for (const line of headers["set-cookie"] ?? []) {
      if (line.split(";", 1)[0] !== this.#cookie) faults.add(`a cookie was changed: ${line}`);
    }
    if (told.token !== token) faults.add("an answer belongs to another request");
    if (this.#doubtful && told.marker === null && told.userId === null) return null;
    if (told.marker !== this.marker) faults.add(told.marker === null ? "a session is lost" : "a session is another's");
    if (told.userId !== this.marker) faults.add(told.userId === null ? "a user is logged out" : "a user is another");
    this.answered += 1;
    return told;
  }
}
