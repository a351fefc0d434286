import {
  type CallHandler,
  createParamDecorator,
  type DynamicModule,
  type ExecutionContext,
  Inject,
  type InjectionToken,
  Module,
  type NestInterceptor,
  type NestModule,
  type OptionalFactoryDependency,
} from "@nestjs/common";
import { APP_INTERCEPTOR, HttpAdapterHost } from "@nestjs/core";
import type { FastifyInstance } from "fastify";
import { type SessionOptions, toSessions } from "../create-sessions.ts";
import type { HttpSessions } from "../http/http-sessions.ts";
import { abandonAll, sessionObjectOf } from "../http/attach.ts";
import { fastSession as expressSession } from "./express.ts";
import { fastSession as fastifySession } from "./fastify.ts";

/** Where the module keeps the sessions: `@Inject(SESSIONS) sessions: Sessions`. */
export const SESSIONS: unique symbol = Symbol("fastsession.sessions");

/** Options, or a function that makes them from other providers. */
export interface AsyncSessionOptions {
  readonly imports?: DynamicModule["imports"];
  readonly inject?: (InjectionToken | OptionalFactoryDependency)[];
  readonly useFactory: (
    ...providers: never[]
  ) => SessionOptions | HttpSessions | Promise<SessionOptions | HttpSessions>;
}

type Answers = ReturnType<CallHandler["handle"]>;
type Subscriber = { next(value: unknown): void; error(error: unknown): void; complete(): void };

/**
 * Nest answers what handlers, pipes and interceptors throw by itself: the platform's adapter never hears of it. What a
 * guard throws passes nobody, so what a guard records is saved.
 */
class DropOnThrow implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Answers {
    const answers = next.handle();
    if (context.getType() !== "http") return answers;
    const request = context.switchToHttp().getRequest<{ readonly raw?: object }>();
    // The constructor instead of an operator of rxjs, which nothing else here needs.
    const Observable = answers.constructor as new (subscribe: (to: Subscriber) => unknown) => Answers;
    return new Observable((to) =>
      answers.subscribe({
        next: (value) => to.next(value),
        error(error) {
          abandonAll(request.raw ?? request);
          to.error(error);
        },
        complete: () => to.complete(),
      }),
    );
  }
}

/**
 * Sessions for NestJS, on Express and on Fastify.
 *
 * @example
 * @Module({ imports: [FastSessionModule.forRoot({ secretKey: process.env.SESSION_SECRET! })] })
 * class AppModule {}
 */
export class FastSessionModule implements NestModule {
  readonly #host: HttpAdapterHost;
  readonly #sessions: HttpSessions;

  constructor(host: HttpAdapterHost, sessions: HttpSessions) {
    this.#host = host;
    this.#sessions = sessions;
  }

  static forRoot(options: SessionOptions | HttpSessions): DynamicModule {
    return FastSessionModule.forRootAsync({ useFactory: () => options });
  }

  static forRootAsync({ imports = [], inject = [], useFactory }: AsyncSessionOptions): DynamicModule {
    const sessions = {
      provide: SESSIONS,
      inject,
      useFactory: async (...providers: unknown[]): Promise<HttpSessions> =>
        toSessions(await useFactory(...(providers as never[]))),
    };
    const dropping = { provide: APP_INTERCEPTOR, useClass: DropOnThrow };
    return { module: FastSessionModule, global: true, imports, providers: [sessions, dropping], exports: [SESSIONS] };
  }

  /** Mounts the adapter of the platform, before the routes. */
  configure(): void {
    const { httpAdapter } = this.#host;
    if (httpAdapter.getType() === "fastify") {
      fastifySession(this.#sessions)(httpAdapter.getInstance<FastifyInstance>(), {}, (error) => {
        if (error !== undefined) throw error;
      });
    } else {
      httpAdapter.use(expressSession(this.#sessions));
    }
  }
}

// What decorators do, without their syntax: this file is plain TypeScript whose types can be erased.
Inject(HttpAdapterHost)(FastSessionModule, undefined, 0);
Inject(SESSIONS)(FastSessionModule, undefined, 1);
Module({})(FastSessionModule);

/**
 * The handler parameter: `@Session() session: FastSession`. Nest's own `@Session()` gives the same as long as
 * `sessionObject` is "session".
 */
export const Session: () => ParameterDecorator = createParamDecorator((_data: unknown, context: ExecutionContext) => {
  const request = context.switchToHttp().getRequest<Record<string, unknown> & { raw?: object }>();
  const name = sessionObjectOf(request) ?? (request.raw === undefined ? null : sessionObjectOf(request.raw));
  return name === null ? undefined : request[name];
});
