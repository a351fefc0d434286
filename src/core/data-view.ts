import { fieldDescriptor, HandleTarget, refuseShape, refuseSymbol, symbolMember } from "./handle-target.ts";
import type { SessionState } from "./session-state.ts";

/** The data as a plain dictionary: no members, so every name but `__proto__` is an item. */
const handler: ProxyHandler<HandleTarget> = {
  get: (target, name) => (typeof name === "symbol" ? symbolMember(target, name) : target.state.data.get(name)),
  set(target, name, value) {
    if (typeof name === "symbol") refuseSymbol();
    target.state.writable.set(name, value);
    return true;
  },
  has: (target, name) => typeof name === "string" && target.state.data.has(name),
  deleteProperty(target, name) {
    if (typeof name === "string") target.state.writable.delete(name);
    return true;
  },
  ownKeys: (target) => target.state.data.fields(),
  getOwnPropertyDescriptor: (target, name) =>
    typeof name === "symbol" ? undefined : fieldDescriptor(target.state.data, name),
  defineProperty: refuseShape,
  setPrototypeOf: refuseShape,
  preventExtensions: refuseShape,
  getPrototypeOf: () => Object.prototype,
};

/** The dictionary behind `getSession()` and `data`. */
export function createDataView(state: SessionState): Record<string, unknown> {
  return new Proxy(new HandleTarget(state), handler) as unknown as Record<string, unknown>;
}
