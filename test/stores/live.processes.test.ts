/** What one process ends closes what another has open, on real servers. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { startPostgres } from "../support/postgres-server.ts";
import { RedisServer } from "../support/redis-server.ts";

const program = fileURLToPath(new URL("../support/live-server.ts", import.meta.url));

const backends = {
  redis: async () => RedisServer.start(),
  postgres: async () => startPostgres(),
};

/** One of the application's processes. */
class Member {
  readonly #child: ChildProcess;
  readonly #origin: string;

  constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.#origin = `127.0.0.1:${port}`;
  }

  static async start(name: string, url: string): Promise<Member> {
    const child = spawn(process.execPath, ["--import", "tsx", program, name, url], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    const [line] = (await once(child.stdout, "data")) as [Buffer];
    return new Member(child, Number(String(line)));
  }

  async stop(): Promise<void> {
    const ended = once(this.#child, "exit");
    this.#child.stdin?.end();
    await ended;
  }

  async fetch(path: string, cookie?: string): Promise<Response> {
    return fetch(`http://${this.#origin}${path}`, { headers: cookie === undefined ? {} : { cookie } });
  }

  async json(path: string, cookie?: string): Promise<{ userId: string | null; value?: string; heard: unknown[] }> {
    const response = await this.fetch(path, cookie);
    expect(response.status).toBe(200);
    return response.json() as never;
  }

  /** Signs in. Answers the cookie. */
  async login(user: string): Promise<string> {
    const response = await this.fetch(`/login?user=${user}`);
    return response.headers.getSetCookie()[0]?.split(";")[0] as string;
  }

  /** An open WebSocket, and how it is going to be closed. */
  async connect(cookie: string): Promise<{ socket: WebSocket; closed: Promise<string> }> {
    const socket = new WebSocket(`ws://${this.#origin}/`, { headers: { cookie } });
    const closed = new Promise<string>((resolve) => {
      socket.once("close", (code, reason) => resolve(`${code} ${reason.toString()}`));
    });
    await once(socket, "message");
    return { socket, closed };
  }
}

describe.each(Object.entries(backends))("on %s, what another process ends", (name, startBackend) => {
  let backend: { readonly url: string; stop(): Promise<void> };
  let here: Member;
  let there: Member;

  beforeAll(async () => {
    backend = await startBackend();
    [here, there] = await Promise.all([Member.start(name, backend.url), Member.start(name, backend.url)]);
  });
  afterAll(async () => {
    await Promise.all([here.stop(), there.stop()]);
    await backend.stop();
  });

  test("closes its WebSockets and event streams, and nobody else's", async () => {
    const [ann, bob] = [await there.login("ann"), await there.login("bob")];
    const [anns, bobs] = [await here.connect(ann), await here.connect(bob)];
    const stream = await here.fetch("/events", ann);
    await there.fetch("/revoke?user=ann");
    expect(await stream.text()).toBe("data: hello\n\ndata: revoked\n\n");
    expect(await anns.closed).toBe("4401 revoked");
    expect(bobs.socket.readyState).toBe(WebSocket.OPEN);
    await there.fetch("/logout", bob);
    expect(await bobs.closed).toBe("4401 revoked");
  });

  test("closes what was opened under an id that a login retired", async () => {
    const cid = await there.login("cid");
    const { closed } = await here.connect(cid);
    await there.fetch("/login?user=cid", cid);
    expect(await closed).toBe("4401 rotated");
  });

  test("is told to those who listen for revocations, and once", async () => {
    await there.login("dan");
    const before = (await here.json("/")).heard.length;
    await there.fetch("/revoke?user=dan");
    await expect
      .poll(async () => (await here.json("/")).heard.slice(before), { timeout: 20_000 })
      .toEqual([{ count: 1, remote: true }]);
    expect((await there.json("/")).heard).toContainEqual({ count: 1, remote: false });
  });

  test("or changes is dropped from the near cache", async () => {
    const eve = await there.login("eve");
    expect(await here.json("/", eve)).toMatchObject({ userId: "eve" });
    await there.fetch("/set?user=new", eve);
    await expect.poll(async () => (await here.json("/", eve)).value, { timeout: 20_000 }).toBe("new");
    await there.fetch("/revoke?user=eve");
    await expect.poll(async () => (await here.json("/", eve)).userId, { timeout: 20_000 }).toBeNull();
  });
});
