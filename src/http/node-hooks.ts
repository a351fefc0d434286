/**
 * How the calls of a Node response come to its gate.
 *
 * Usually the response gets properties of its own, with functions that all responses share. Express gives each response
 * another prototype, and V8 then makes a hidden class anew for every property that is added, some 3 µs each. So its
 * application's prototype, from which all its responses inherit, is hooked once, and a map knows the gates. Where other
 * middleware has wrapped a response already, that one gets its own properties: a gate is in front of what was there.
 */

export type Method = "writeHead" | "write" | "end" | "flushHeaders";
type HeaderMethod = "setHeader" | "appendHeader" | "removeHeader";
type Calls<Name extends string> = Record<Name, (...args: never[]) => unknown>;

/** What was there before the hooks. */
export type Methods = Readonly<Calls<Method>>;
type Response = Calls<Method | HeaderMethod> & { readonly headersSent: boolean; readonly writableEnded: boolean };
type Hooked = Response & { [GATE]: Gate };

export interface Gate {
  /** Whoever asks must believe that the headers are out. */
  readonly held: boolean;
  /** `end` was called. */
  readonly ended: boolean;
  call(method: Method, args: unknown[]): unknown;
}

const METHODS: readonly Method[] = ["writeHead", "write", "end", "flushHeaders"];
const HEADER_METHODS: readonly HeaderMethod[] = ["setHeader", "appendHeader", "removeHeader"];

const GATE = Symbol("fastsession.gate");
/** Of responses whose application is hooked. */
const gates = new WeakMap<object, Gate>();
/** What the responses of an application called before, by their prototype; `null`: they have no application. */
const applications = new WeakMap<object, Methods | null>();

export function gateOf(response: object): Gate | undefined {
  return (response as Partial<Hooked>)[GATE] ?? gates.get(response);
}

/** From now on the response's calls go to the gate. */
export function connect(response: Response, gate: Gate): Methods {
  const shared = applicationOf(response);
  if (shared !== null && !METHODS.some((method) => Object.hasOwn(response, method))) {
    gates.set(response, gate);
    return shared;
  }
  const { writeHead, write, end, flushHeaders } = response;
  (response as Hooked)[GATE] = gate;
  response.writeHead = ownHooks.writeHead;
  response.write = ownHooks.write;
  response.end = ownHooks.end;
  response.flushHeaders = ownHooks.flushHeaders;
  return { writeHead, write, end, flushHeaders };
}

/** Where the response has hooks of its own, those that make it look sent. Answers how to take them back. */
export function pretendSent(response: Response): () => void {
  if ((response as Partial<Hooked>)[GATE] === undefined) return nothing;
  const { setHeader, appendHeader, removeHeader } = response;
  response.setHeader = response.appendHeader = response.removeHeader = refuseHeader;
  // Left where they are: an object that loses properties is slow.
  Object.defineProperties(response, ownAccessors);
  return () => void Object.assign(response, { setHeader, appendHeader, removeHeader });
}

function nothing(): void {
  // The application's hooks ask the gate each time.
}

/** One set for all responses: no closure a request. */
const ownHooks: Calls<Method> = {
  writeHead(this: Hooked, ...args: unknown[]) {
    return this[GATE].call("writeHead", args);
  },
  write(this: Hooked, ...args: unknown[]) {
    return this[GATE].call("write", args);
  },
  end(this: Hooked, ...args: unknown[]) {
    return this[GATE].call("end", args);
  },
  flushHeaders(this: Hooked) {
    return this[GATE].call("flushHeaders", []);
  },
};

const ownAccessors = accessors(gateOf, (response) => Object.getPrototypeOf(response) as object);

function accessors(gateFor: (response: object) => Gate | undefined, base: (response: object) => object) {
  return {
    headersSent: {
      configurable: true,
      get(this: object): unknown {
        return gateFor(this)?.held === true || Reflect.get(base(this), "headersSent", this);
      },
    },
    writableEnded: {
      configurable: true,
      get(this: object): unknown {
        const gate = gateFor(this);
        return (gate?.held === true && gate.ended) || Reflect.get(base(this), "writableEnded", this);
      },
    },
  };
}

/** Hooks the response's application at the first of its responses. */
function applicationOf(response: Response): Methods | null {
  const prototype = Object.getPrototypeOf(response) as object;
  let known = applications.get(prototype);
  if (known === undefined) {
    const root = rootOf(prototype);
    known = root === null ? null : (applications.get(root) ?? hook(root));
    applications.set(prototype, known);
    if (root !== null) applications.set(root, known);
  }
  return known;
}

/** `app.response` of the outermost application: while a mounted one answers, responses inherit from its own, too. */
function rootOf(prototype: object): Response | null {
  let root: object | null = null;
  for (let one: object | null = prototype; one !== null; one = Object.getPrototypeOf(one) as object | null) {
    if (Object.hasOwn(one, "app")) root = one;
  }
  return root as Response | null;
}

function hook(root: Response): Methods {
  const { writeHead, write, end, flushHeaders } = root;
  const before: Methods = { writeHead, write, end, flushHeaders };
  for (const method of METHODS) {
    define(root, method, function (this: object, ...args: never[]): unknown {
      const gate = gates.get(this);
      return gate === undefined ? before[method].apply(this, args) : gate.call(method, args);
    });
  }
  for (const method of HEADER_METHODS) {
    const own = root[method];
    define(root, method, function (this: object, ...args: never[]): unknown {
      return gates.get(this)?.held === true ? refuseHeader(args[0] as unknown as string) : own.apply(this, args);
    });
  }
  const base = Object.getPrototypeOf(root) as object;
  Object.defineProperties(
    root,
    accessors(
      (response) => gates.get(response),
      () => base,
    ),
  );
  return before;
}

function define(root: object, name: string, value: (...args: never[]) => unknown): void {
  Object.defineProperty(root, name, { value, configurable: true, writable: true });
}

function refuseHeader(name: string): never {
  throw Object.assign(new Error(`Cannot set headers after they are sent to the client (${name})`), {
    code: "ERR_HTTP_HEADERS_SENT",
  });
}
