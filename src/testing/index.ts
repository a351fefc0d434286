/** What proves stores and adapters, published: bring your own test runner. */
export type { AdapterAnswer, AdapterApp, AdapterCall, AdapterServer, StartAdapter } from "./adapter-app.ts";
export { adapterContract, type AdapterContractOptions } from "./adapter-contract.ts";
export { Browser, type Page, type VisitOptions } from "./browser.ts";
export {
  type CookieContext,
  CookieJar,
  type CookieJarOptions,
  type JarCookie,
  type RefusedCookie,
} from "./cookie-jar.ts";
export { HostileStore, type HeldCall, type StoreVerb } from "./hostile-store.ts";
export { ManualClock } from "./manual-clock.ts";
export { type RegisterTest, storeContract, type StoreContractOptions } from "./store-contract.ts";
