/** How a transcript is told to our library. */
import { randomUUID } from "node:crypto";
import { fastSession } from "../../../src/adapters/node.ts";
import { createSessions, type SessionOptions, type Sessions } from "../../../src/create-sessions.ts";
import { originalDefaults } from "../../../src/original-defaults.ts";
import { MemoryStore } from "../../../src/stores/memory.ts";
import { answer, OWN_VALUE, type Session } from "./app.ts";
import { type CopyingStore, storeFor } from "./copying-store.ts";
import {
  type Asked,
  cookieName,
  type Data,
  failed,
  type Headers,
  meta,
  type RecordedBody,
  type Records,
  secretOf,
  type SetCookie,
  setCookies,
  type Step,
  type Transcript,
} from "./transcript.ts";
import { ask } from "./wire.ts";

export interface Answer {
  readonly status: number;
  readonly body: string;
  /** The body where it is the handler's report. */
  readonly report: Readonly<Partial<RecordedBody> & { cause?: string }>;
  readonly cookies: readonly SetCookie[];
  /** The session's cookie, and not the handler's own of the same name. */
  readonly cookie: SetCookie | undefined;
  /** The store after it: of a memory store the records whose ids the recorded one has. */
  readonly stored: {
    readonly size: number;
    readonly calls: readonly string[];
    readonly records: Records;
  };
}

/** `session_cookie` is `sessionCookie`, in all depths. What is no plain object stays. */
function camelCased(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(camelCased);
  if (typeof value !== "object" || value === null) return value;
  const camel = (name: string): string => name.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [camel(name), camelCased(member)]));
}

/** What our `createSessions` is given for a record's configuration, right or wrong. */
export function optionsOf({ config }: Transcript): SessionOptions {
  const { secret_key, ...rest } = config;
  const secretKey = Array.isArray(secret_key) ? secret_key.map(secretOf) : secretOf(secret_key);
  return { ...originalDefaults, ...(camelCased(rest) as object), secretKey, logLevel: "silent" } as SessionOptions;
}

/** One run of a transcript: an application of our library, and the clock, ids and store it was given. */
export class Run {
  readonly transcript: Transcript;
  readonly store: MemoryStore | CopyingStore;
  readonly sessions: Sessions;
  now: number;
  readonly answers: Answer[] = [];
  #drawn = 0;
  /** Ids are drawn in the recorded order, except by visitors whom the record doesn't show. */
  #recorded = true;

  constructor(transcript: Transcript, options: Partial<SessionOptions> = {}) {
    this.transcript = transcript;
    this.store = storeFor(transcript);
    this.now = transcript.steps[0]?.now ?? 0;
    this.sessions = createSessions({
      ...optionsOf(transcript),
      store: this.store,
      now: () => this.now * 1000,
      idGenerator: () => (this.#recorded && meta.uuids[this.#drawn++]) || randomUUID(),
      sweepInterval: 0,
      ...options,
    });
  }

  /** Tells the whole transcript. `before` is called ahead of each step. */
  async tell(before?: (run: Run) => unknown): Promise<this> {
    for (const [index, step] of this.transcript.steps.entries()) {
      this.now = step.now;
      this.#asRecorded(index);
      await before?.(this);
      this.answers.push(await this.send(step));
      const others = /(\d+) more records are then put in the store by hand/.exec(step.note ?? "")?.[1] ?? 0;
      this.#recorded = false;
      for (let count = 0; count < Number(others); count++) await this.visit("/noop");
      this.#recorded = true;
    }
    return this;
  }

  /** One more request, which is not in the record. */
  async visit(path: string, cookie?: string): Promise<Answer> {
    const headers: Headers = cookie === undefined ? [] : [["cookie", `${cookieName(this.transcript)}=${cookie}`]];
    const request = { method: "GET", path, headers };
    return this.send({ request, response: { status: null, headers: [], body: "" }, store_after: null });
  }

  async send(step: Asked): Promise<Answer> {
    const { sessionObject, cookie } = this.sessions.http;
    const listener = fastSession(this.sessions)((request, response) => {
      const session = (request as unknown as Record<string, Session | undefined>)[sessionObject];
      return answer(session, response, step, cookie.name);
    });
    const { status, headers, body } = await ask(listener, step.request);
    const cookies = setCookies(headers);
    return {
      status,
      body,
      report: body.startsWith("{") ? (JSON.parse(body) as Answer["report"]) : {},
      cookies,
      cookie: cookies.find(({ name, value }) => name === cookie.name && value !== OWN_VALUE),
      stored: this.#stored(Object.keys(step.store_after ?? {})),
    };
  }

  #stored(ids: readonly string[]): Answer["stored"] {
    const { store } = this;
    if (!(store instanceof MemoryStore)) return { size: store.records.size, calls: store.calls.splice(0), records: {} };
    const records = ids.flatMap((id) => {
      const found = store.load(id, this.now * 1000);
      if (found?.kind !== "session") return [];
      return [[id, { created_at: Math.floor(found.createdAt / 1000), store: store.getStore(id) as Data }]];
    });
    return { size: store.size, calls: [], records: Object.fromEntries(records) };
  }

  /** What the recorder did to the store between the steps, as far as the record tells. */
  #asRecorded(index: number): void {
    const { steps } = this.transcript;
    const step = steps[index] as Step;
    if (!(this.store instanceof MemoryStore)) {
      // The original calls a method at other moments than we do: it fails from where the record shows it.
      this.store.broken ||= failed(step);
      return;
    }
    const [before, after] = [steps[index - 1]?.store_after ?? null, step.store_after];
    const byHand = steps.some(({ note }) => note?.includes("by hand"));
    if (before === null || after === null || byHand) return;
    for (const id of Object.keys(before)) if (!(id in after)) this.store.destroy(id, { now: 0, tombstoneUntil: 0 });
  }
}
