/** Serves the adapter contract's applications by NestJS, on either platform. */
import "reflect-metadata";
import { All, type ArgumentsHost, Catch, Controller, type ExceptionFilter, Module, Req, Res } from "@nestjs/common";
import { type AbstractHttpAdapter, NestFactory } from "@nestjs/core";
import { FastSessionModule } from "../../src/adapters/nest.ts";
import type { AdapterAnswer, AdapterApp, AdapterServer } from "../../src/testing/index.ts";

/** Answers with the platform's own response or reply. */
export interface PlatformAnswer {
  setCookie(way: string, line: string): void;
  send(answer: AdapterAnswer): unknown;
}

interface PlatformRequest {
  readonly method: string;
  readonly url: string;
  readonly originalUrl?: string;
}

function filterOf(answer: (error: unknown, response: never) => void): ExceptionFilter {
  @Catch()
  class Filter {
    catch(error: unknown, host: ArgumentsHost): void {
      answer(error, host.switchToHttp().getResponse<never>());
    }
  }
  return new Filter();
}

export async function startNest(
  platform: AbstractHttpAdapter,
  everyPath: string[],
  answerTo: (response: never) => PlatformAnswer,
  { mounts, handle, onError }: AdapterApp,
): Promise<AdapterServer> {
  @Controller()
  class Routes {
    @All(everyPath)
    run(@Req() request: PlatformRequest, @Res() response: never): unknown {
      const answer = answerTo(response);
      const answered = handle({
        method: request.method,
        url: request.originalUrl ?? request.url,
        sessions: mounts.map(({ http }) => (request as never)[http.sessionObject]),
        setCookie: (way, line) => answer.setCookie(way, line),
      });
      if (!(answered instanceof Promise)) return void answer.send(answered);
      return answered.then((given) => void answer.send(given));
    }
  }

  @Module({ imports: mounts.map((sessions) => FastSessionModule.forRoot(sessions)), controllers: [Routes] })
  // oxlint-disable-next-line typescript/no-extraneous-class -- how Nest declares its modules
  class App {}

  const app = await NestFactory.create(App, platform, { logger: false });
  if (onError !== undefined)
    app.useGlobalFilters(filterOf((error, response) => answerTo(response).send(onError(error))));
  await app.listen(0, "127.0.0.1");
  return {
    origin: (await app.getUrl()).replace(/\/$/, ""),
    async close() {
      (app.getHttpServer() as { closeAllConnections(): void }).closeAllConnections();
      await app.close();
    },
  };
}
