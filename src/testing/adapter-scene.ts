/** What the stories of the adapter contract are told with: an application, its sessions and a browser. */
import type { SessionStore } from "../core/session-store.ts";
import type { Session } from "../core/session-types.ts";
import type { Awaitable } from "../core/units.ts";
import { createSessions, type SessionOptions } from "../create-sessions.ts";
import type { HttpSessions } from "../http/http-sessions.ts";
import { MemoryStore } from "../stores/memory.ts";
import type { AdapterAnswer, AdapterCall, AdapterServer, StartAdapter } from "./adapter-app.ts";
import { Browser } from "./browser.ts";
import { CookieJar } from "./cookie-jar.ts";
import { HostileStore } from "./hostile-store.ts";
import { ManualClock } from "./manual-clock.ts";

export type StoreKind = "local" | "remote";

/** Any session: a dictionary with members. */
export type AnySession = Session<Record<string, unknown>>;

/** A request in a story. */
export interface Call extends AdapterCall {
  /** The first mounted session. @throws Error where the handler finds none */
  readonly session: AnySession;
  readonly query: URLSearchParams;
}

/** What a story's application does, by path. Answering a text answers it with status 200. */
export type Routes = Readonly<Record<string, (call: Call) => Awaitable<AdapterAnswer | string>>>;

export interface SceneOptions {
  readonly session?: Partial<SessionOptions>;
  /** A second session in the same application. */
  readonly second?: Partial<SessionOptions>;
  /** Mounts the first session twice. */
  readonly twice?: boolean;
  readonly onError?: (error: unknown) => AdapterAnswer;
  /** The store under the counted one. @defaultValue a new `MemoryStore` */
  readonly inner?: SessionStore;
}

export interface Scene {
  readonly browser: Browser;
  readonly clock: ManualClock;
  readonly sessions: HttpSessions;
  readonly store: HostileStore;
  /** What was logged, all levels. */
  readonly log: readonly string[];
  /** The same application as somebody else sees it, whose cookies are his own. */
  readonly stranger: (options?: { readonly trustLoopback?: boolean }) => Browser;
}

/** Serves the routes; the server ends with the story. */
export type Begin = (routes: Routes, options?: SceneOptions) => Promise<Scene>;

/** Where chapters tell their stories. */
export interface Stage {
  readonly kind: StoreKind;
  readonly cookieWays: readonly string[];
  readonly errorHandlers: boolean;
  readonly story: (name: string, run: (begin: Begin) => Promise<void>) => void;
}

/** 32 bytes, so that nothing warns. */
export const SECRET = "a secret of the adapter contract, which everybody knows";

/** Tells one story and closes its server. */
export async function tell(start: StartAdapter, kind: StoreKind, run: (begin: Begin) => Promise<void>): Promise<void> {
  const opened: (() => Promise<void>)[] = [];
  try {
    await run(async (routes, options = {}) => {
      const { scene, server } = await open(start, kind, routes, options);
      opened.push(() => server.close());
      return scene;
    });
  } finally {
    for (const close of opened) await close();
  }
}

async function open(
  start: StartAdapter,
  kind: StoreKind,
  routes: Routes,
  { session, second, twice = false, onError, inner = new MemoryStore() }: SceneOptions,
): Promise<{ scene: Scene; server: AdapterServer }> {
  const clock = new ManualClock();
  const log: string[] = [];
  const store = new HostileStore(inner, { local: kind === "local" });
  const write = (message: string): void => void log.push(message);
  const common: SessionOptions = {
    secretKey: SECRET,
    store,
    now: clock.now,
    sweepInterval: 0,
    logger: { debug: write, info: write, warn: write, error: write },
    logLevel: "debug",
  };
  const sessions = createSessions({ ...common, ...session });
  const mounts = [sessions];
  if (twice) mounts.push(sessions);
  if (second !== undefined) mounts.push(createSessions({ ...common, ...second }));
  const server = await start({
    mounts,
    handle: (call) => dispatch(routes, call),
    ...(onError === undefined ? {} : { onError }),
  });
  const newBrowser = (trustLoopback: boolean): Browser =>
    new Browser(server.origin, new CookieJar({ now: clock.now, trustLoopback }));
  const scene: Scene = {
    browser: newBrowser(true),
    clock,
    sessions,
    store,
    log,
    stranger: ({ trustLoopback = true } = {}) => newBrowser(trustLoopback),
  };
  return { scene, server };
}

/** Stays synchronous where the route does, so that what it throws at once is thrown at once. */
function dispatch(routes: Routes, call: AdapterCall): Awaitable<AdapterAnswer> {
  const url = new URL(call.url, "http://127.0.0.1");
  const route = routes[url.pathname];
  if (route === undefined) return { status: 404, body: "no such route" };
  const answer = route({
    method: call.method,
    url: call.url,
    query: url.searchParams,
    sessions: call.sessions,
    setCookie: (way, line) => call.setCookie(way, line),
    get session() {
      const [session] = call.sessions;
      if (session === undefined) throw new Error("this request has no session");
      return session;
    },
  });
  return answer instanceof Promise ? answer.then(toAnswer) : toAnswer(answer);
}

function toAnswer(answer: AdapterAnswer | string): AdapterAnswer {
  return typeof answer === "string" ? { body: answer } : answer;
}

/** A moment that one side waits for and the other brings about. */
export interface Moment {
  readonly come: Promise<void>;
  readonly bring: () => void;
}

export function moment(): Moment {
  let bring = (): void => undefined;
  const come = new Promise<void>((resolve) => (bring = resolve));
  return { come, bring: () => bring() };
}

/** The stable code of what a call throws, at once or later; `"nothing"` when it does not. */
export async function codeOf(run: () => unknown): Promise<string> {
  try {
    await run();
    return "nothing";
  } catch (error) {
    return String((error as { code?: unknown }).code ?? error);
  }
}

/** A cookie's attributes, sorted: browsers do not care for their order. */
export function attributesOf(line: string): string[] {
  return line
    .split(";")
    .slice(1)
    .map((attribute) => attribute.trim())
    .sort();
}

/** The lines that set a cookie of this name. */
export function linesFor(lines: readonly string[], name: string): string[] {
  return lines.filter((line) => line.startsWith(`${name}=`));
}
