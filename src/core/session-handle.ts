/**
 * The handle: what a handler reads and writes like an object.
 *
 * A Proxy, because nothing else keeps `delete`, `in`, spread and unknown names right. One handler object serves all
 * sessions and reaches the state through the target, so that a session costs one small target and one Proxy. An access
 * costs about 25 ns more than a method call would.
 */
import { fieldDescriptor, HandleTarget, refuseShape, refuseSymbol, symbolMember } from "./handle-target.ts";
import { type Methods, methods, RESERVED } from "./session-methods.ts";
import type { SessionState } from "./session-state.ts";
import type { DefaultData, Session } from "./session-types.ts";

function handlerFor(members: Methods): ProxyHandler<HandleTarget> {
  return {
    get(target, name) {
      if (typeof name === "symbol") return symbolMember(target, name);
      const member = members[name];
      if (member !== undefined) return member.get === undefined ? member.value : member.get(target.state);
      return RESERVED.has(name) ? undefined : target.state.data.get(name);
    },
    set(target, name, value) {
      checkItem(name);
      target.state.writable.set(name, value);
      return true;
    },
    has(target, name) {
      if (typeof name === "symbol") return false;
      return name in members || (!RESERVED.has(name) && target.state.data.has(name));
    },
    deleteProperty(target, name) {
      checkItem(name);
      target.state.writable.delete(name);
      return true;
    },
    ownKeys: (target) => target.state.data.fields().filter((field) => !RESERVED.has(field)),
    getOwnPropertyDescriptor(target, name) {
      if (typeof name === "symbol" || RESERVED.has(name)) return undefined;
      return fieldDescriptor(target.state.data, name);
    },
    defineProperty: refuseShape,
    setPrototypeOf: refuseShape,
    preventExtensions: refuseShape,
    getPrototypeOf: () => Object.prototype,
  };
}

const plainHandler = handlerFor(methods);

/** The handle of a session. */
export function createHandle(state: SessionState): Session<DefaultData> {
  return new Proxy(new HandleTarget(state), plainHandler) as unknown as Session<DefaultData>;
}

/** For adapters whose framework knows members of its own (Express): handles that have them too. */
export function handleFactory(extra: Methods): (state: SessionState) => Session<DefaultData> {
  const handler = handlerFor(Object.assign(Object.create(null), methods, extra) as Methods);
  return (state) => new Proxy(new HandleTarget(state), handler) as unknown as Session<DefaultData>;
}

function checkItem(name: string | symbol): asserts name is string {
  if (typeof name === "symbol") refuseSymbol();
  if (RESERVED.has(name)) {
    throw new TypeError(
      `"${name}" is a member of the session and cannot be an item: use another name, or session.set("${name}", …)`,
    );
  }
}
