/**
 * A random history of browsers at a fleet, and what of it must be true afterwards.
 *
 * Two browsers share each user. A browser sends one to four requests at once and then looks at what came of them; the
 * others do the same meanwhile, and processes are killed. What a browser was told has happened is in its session once;
 * what it was told has not is not; what it was told nothing about may be, once.
 */
import type { Fleet, Reply, Seen } from "./fleet.ts";

/** A whole number below `limit`. */
type Random = (limit: number) => number;

interface Revocation {
  readonly from: number;
  /** When it was acknowledged; `Infinity` where it never was. */
  to: number;
  acknowledged: boolean;
}

class User {
  readonly revocations: Revocation[] = [];
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }

  /** Whether a revocation may have ended a login of that time; and whether one must have, for whoever looks at `now`. */
  ended(login: { readonly from: number; readonly to: number }, now: number): "no" | "perhaps" | "yes" {
    const meets = this.revocations.filter(({ to }) => to > login.from);
    const wins = meets.some(({ from, to, acknowledged }) => acknowledged && from > login.to && to < now);
    return wins ? "yes" : meets.length > 0 ? "perhaps" : "no";
  }
}

/** What a browser knows of its session. */
interface Known {
  cookie: string;
  readonly acknowledged: Set<string>;
  readonly possible: Set<string>;
  /** When it logged in. */
  login: { readonly from: number; readonly to: number } | null;
  /** Whether a call that was not answered may have ended or moved it. */
  doubtful: boolean;
}

type Action = "add" | "login" | "regenerate" | "logout" | "revoke";

export class History {
  readonly #fleet: Fleet;
  readonly #random: Random;
  readonly #faults: string[] = [];
  /** Cookies that must be dead for ever. */
  readonly #dead: string[] = [];
  readonly #users: User[] = [];
  /** Sessions that are alive without a doubt, by the end. */
  readonly #alive: { readonly handle: string; readonly user: string | null }[] = [];
  #tokens = 0;
  /** Requests by what came of them; those that failed were answered 503. */
  readonly counts = { answered: 0, refused: 0, failed: 0, lost: 0 };

  constructor(fleet: Fleet, seed: number) {
    this.#fleet = fleet;
    this.#random = randomSource(seed);
  }

  /** @param blows what befalls the fleet meanwhile, one after the other */
  async play(browsers: number, rounds: number, blows: readonly (() => Promise<unknown>)[]): Promise<void> {
    for (let index = 0; index < browsers / 2; index += 1) this.#users.push(new User(`user ${index}`));
    const left: [User, Known][] = [];
    const total = browsers * rounds;
    let played = 0;
    let struck = 0;
    let recovered: Promise<unknown> = Promise.resolve();
    const browse = async (user: User): Promise<void> => {
      let session: Known | null = null;
      for (let round = 0; round < rounds; round += 1) {
        const { lost, failed } = this.counts;
        session = session === null ? await this.#begin() : await this.#round(user, session);
        // Nothing is learnt by asking again while everything is down.
        if (this.counts.lost + this.counts.failed > lost + failed) await recovered;
        played += 1;
        const blow = blows[struck];
        if (blow === undefined || played < (total * (struck + 1)) / (blows.length + 1)) continue;
        struck += 1;
        recovered = recovered.then(blow);
      }
      if (session !== null) left.push([user, session]);
    };
    await Promise.all(Array.from({ length: browsers }, (_, index) => browse(this.#users[index >> 1] as User)));
    await recovered;
    for (const [user, session] of left) await this.#look(user, session, true);
  }

  /** Checks what must be true when all is quiet. Answers what is not, each kind once. */
  async faults(records: readonly { readonly handle: string; readonly userId: string | null }[]): Promise<string[]> {
    for (const cookie of this.#dead) {
      const { cause, data, userId } = await this.#fleet.visit(this.#random(9), "/", cookie);
      if (cause === "resumed" || userId !== null || Object.keys(data).length > 0) {
        this.#faults.push(`an ended session is ${cause}`);
      }
    }
    for (const { name } of this.#users) {
      const reply = await this.#fleet.send(this.#random(9), `/list?value=${encodeURIComponent(name)}`);
      const listed = (JSON.parse(reply.body) as string[]).toSorted();
      const scanned = records
        .filter(({ userId }) => userId === name)
        .map(({ handle }) => handle)
        .toSorted();
      if (listed.join() !== scanned.join()) {
        this.#faults.push(`the index of ${name} has ${listed.length} sessions and a scan finds ${scanned.length}`);
      }
    }
    const found = new Map(records.map(({ handle, userId }) => [handle, userId]));
    for (const { handle, user } of this.#alive) {
      if (found.get(handle) !== user) this.#faults.push(`a live session of ${user ?? "nobody"} is not found by a scan`);
    }
    return [...new Set(this.#faults)];
  }

  async #begin(): Promise<Known | null> {
    const token = this.#token();
    const reply = await this.#send(`/add?value=${token}`, "");
    if (reply?.status !== 200) return null;
    const session: Known = {
      cookie: reply.cookie,
      acknowledged: new Set([token]),
      possible: new Set(),
      login: null,
      doubtful: false,
    };
    return session;
  }

  async #round(user: User, session: Known): Promise<Known | null> {
    const actions: Action[] = Array.from({ length: this.#random(4) + 1 }, () => "add");
    const special = (["login", "regenerate", "logout", "revoke"] as const)[this.#random(12)];
    if (special !== undefined) actions[this.#random(actions.length)] = special;
    const { cookie } = session;
    const before = { from: performance.now() };
    const revocation: Revocation = { ...before, to: Infinity, acknowledged: false };
    if (special === "revoke") user.revocations.push(revocation);

    let ended = false;
    await Promise.all(
      actions.map(async (action) => {
        const token = this.#token();
        const value = encodeURIComponent(action === "add" ? token : user.name);
        // A revocation comes from elsewhere.
        const reply = await this.#send(`/${action}?value=${value}`, action === "revoke" ? "" : cookie);
        const to = performance.now();
        const done = reply?.status === 200;
        switch (action) {
          case "add":
            this.#added(session, token, reply);
            break;
          case "revoke":
            if (done) Object.assign(revocation, { to, acknowledged: true });
            break;
          case "login":
          case "regenerate":
            if (!done) session.doubtful ||= reply === null || reply.status === 503;
            else if ((JSON.parse(reply.body) as Seen).cause === "resumed") {
              session.cookie = reply.cookie;
              this.#dead.push(cookie);
              if (action === "login") session.login = { ...before, to };
            }
            break;
          case "logout":
            session.doubtful ||= !done;
            ended = done;
            if (done) this.#dead.push(cookie);
            break;
        }
      }),
    );
    if (ended) return null;
    return this.#look(user, session, false);
  }

  #added(session: Known, token: string, reply: Reply | null): void {
    if (reply === null || reply.status === 503) session.possible.add(token);
    else if (reply.status === 200) {
      const { cause } = JSON.parse(reply.body) as Seen;
      // Else it went into a new session of nobody's: the cookie's was gone already.
      if (cause === "resumed") session.acknowledged.add(token);
    }
    // Every other status says that nothing was written.
  }

  /** Looks what the session is, and holds it against what is known. `null`: it is over. */
  async #look(user: User, session: Known, last: boolean): Promise<Known | null> {
    const from = performance.now();
    let reply = await this.#send("/", session.cookie);
    // By the end all is up, but a pool may have one dead connection after the other.
    for (let more = last ? 20 : 0; more > 0 && reply?.status === 503; more -= 1) {
      reply = await this.#send("/", session.cookie);
    }
    if (reply === null || (reply.status === 503 && !last)) return session;
    if (reply.status !== 200) {
      this.#faults.push(`a read was answered ${reply.status}`);
      return null;
    }
    const { cause, data, userId, handle } = JSON.parse(reply.body) as Seen;
    const { login, acknowledged, possible } = session;
    const revoked = login === null ? "no" : user.ended(login, from);
    if (cause !== "resumed") {
      if (revoked === "no" && !session.doubtful) this.#faults.push(`a session is ${cause} that nobody ended`);
      return null;
    }
    if (revoked === "yes") this.#faults.push("a revoked session is alive");
    if (login !== null && userId !== user.name) this.#faults.push("a login is lost");
    const log = (data["log"] ?? []) as string[];
    const unique = new Set(log);
    if (unique.size !== log.length) this.#faults.push("an addition appears twice");
    if (data["n"] !== log.length) this.#faults.push(`half of an addition: ${String(data["n"])} of ${log.length}`);
    for (const token of acknowledged) if (!unique.has(token)) this.#faults.push("an acknowledged addition is lost");
    for (const token of log) {
      if (!acknowledged.has(token) && !possible.has(token)) this.#faults.push("an addition that was refused is there");
    }
    if (last && revoked === "no") this.#alive.push({ handle: handle as string, user: userId });
    return session;
  }

  /** `null`: the connection broke, and nobody knows what became of it. */
  async #send(path: string, cookie: string): Promise<Reply | null> {
    try {
      const reply = await this.#fleet.send(this.#random(997), path, cookie);
      this.counts[reply.status === 200 ? "answered" : reply.status === 503 ? "failed" : "refused"] += 1;
      return reply;
    } catch {
      this.counts.lost += 1;
      return null;
    }
  }

  #token(): string {
    return `t${(this.#tokens += 1)}`;
  }
}

/** Numerical Recipes' generator: its upper bits are random enough here. */
function randomSource(seed: number): Random {
  let state = seed >>> 0;
  return (limit) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}
