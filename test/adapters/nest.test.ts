import "reflect-metadata";
import {
  BadRequestException,
  type CanActivate,
  Controller,
  type ExecutionContext,
  Get,
  Inject,
  Injectable,
  Module,
  Session as NestSession,
  UseGuards,
} from "@nestjs/common";
import { type AbstractHttpAdapter, NestFactory } from "@nestjs/core";
import { ExpressAdapter } from "@nestjs/platform-express";
import { FastifyAdapter } from "@nestjs/platform-fastify";
import { afterEach, describe, expect, test } from "vitest";
import { FastSessionModule, Session, SESSIONS } from "../../src/adapters/nest.ts";
import type { SessionOptions, Sessions } from "../../src/create-sessions.ts";
import { MemoryStore } from "../../src/stores/memory.ts";
import { HostileStore } from "../../src/testing/index.ts";

type Visits = { increment(field: string): number };

@Injectable()
class CountingGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const { session } = context.switchToHttp().getRequest<{ session: Visits }>();
    return session.increment("seen") < 3;
  }
}

@Controller()
class Routes {
  readonly #sessions: Sessions;

  constructor(@Inject(SESSIONS) sessions: Sessions) {
    this.#sessions = sessions;
  }

  @Get("visits")
  visits(@Session() session: Visits): string {
    return String(session.increment("visits"));
  }

  @Get("own")
  own(@NestSession() session: Visits): string {
    return String(session.increment("visits"));
  }

  @Get("guarded")
  @UseGuards(CountingGuard)
  guarded(): string {
    return "let in";
  }

  @Get("refused")
  refused(@Session() session: Visits): string {
    session.increment("lost");
    throw new BadRequestException("not like that");
  }

  @Get("skipped")
  skipped(@Session() session: unknown): string {
    return typeof session;
  }

  @Get("gc")
  async gc(): Promise<string> {
    return String(await this.#sessions.gc());
  }
}

const secretKey = "a secret of the tests, which everybody can read here";
const platforms: Record<string, () => AbstractHttpAdapter> = {
  Express: () => new ExpressAdapter(),
  Fastify: () => new FastifyAdapter(),
};

let close: (() => Promise<void>) | undefined;
afterEach(() => close?.());

describe.for(
  ["Express", "Fastify"].flatMap((platform) => [
    [platform, "local"],
    [platform, "remote"],
  ]),
)("Nest on %s (%s store)", ([platform = "", kind = ""]) => {
  /** Starts an application; answers a function that visits it with the one cookie. */
  async function begin(options: Partial<SessionOptions> = {}): Promise<(path: string) => Promise<Response>> {
    const store = new HostileStore(new MemoryStore(), { local: kind === "local" });
    const settings = { provide: "SETTINGS", useValue: { secretKey, store, logLevel: "silent" as const, ...options } };
    @Module({ providers: [settings], exports: [settings] })
    // oxlint-disable-next-line typescript/no-extraneous-class -- how Nest declares its modules
    class Settings {}
    const sessions = FastSessionModule.forRootAsync({
      imports: [Settings],
      inject: ["SETTINGS"],
      useFactory: async (given: SessionOptions) => given,
    });
    @Module({ imports: [sessions], controllers: [Routes] })
    // oxlint-disable-next-line typescript/no-extraneous-class -- how Nest declares its modules
    class App {}
    const app = await NestFactory.create(App, platforms[platform]!(), { logger: false });
    await app.listen(0, "127.0.0.1");
    close = async () => {
      (app.getHttpServer() as { closeAllConnections(): void }).closeAllConnections();
      await app.close();
    };
    const origin = await app.getUrl();
    let cookie = "";
    return async (path) => {
      const response = await fetch(new URL(path, origin), { headers: { cookie } });
      const [line] = response.headers.getSetCookie();
      if (line !== undefined) cookie = line.split(";", 1)[0] ?? "";
      return response;
    };
  }

  test("@Session() gives the handler its session, ours and Nest's own", async () => {
    const visit = await begin();
    expect(await (await visit("/visits")).text()).toBe("1");
    expect(await (await visit("/own")).text()).toBe("2");
  });

  test("@Session() follows sessionObject", async () => {
    const visit = await begin({ sessionObject: "visitor" });
    expect(await (await visit("/visits")).text()).toBe("1");
    expect(await (await visit("/visits")).text()).toBe("2");
  });

  test("@Session() is undefined on skipped requests", async () => {
    const visit = await begin({ skip: "/skipped" });
    expect(await (await visit("/skipped")).text()).toBe("undefined");
  });

  test("a guard has the session before the handler", async () => {
    const visit = await begin();
    const statuses = [];
    for (let n = 0; n < 3; n++) statuses.push((await visit("/guarded")).status);
    expect(statuses).toEqual([200, 200, 403]);
  });

  test("an HttpException is a throw: nothing recorded is saved", async () => {
    const visit = await begin();
    const { status, headers } = await visit("/refused");
    expect([status, headers.getSetCookie()]).toEqual([400, []]);
  });

  test("providers find the sessions under SESSIONS", async () => {
    const visit = await begin();
    expect(await (await visit("/gc")).text()).toBe("0");
  });
});
