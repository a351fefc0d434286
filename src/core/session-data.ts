/**
 * The fields of your sessions, for frameworks whose types cannot carry them (Express):
 *
 * @example
 * declare module "fastsession" {
 *   interface SessionData { userId: number; cart: string[] }
 * }
 */
// oxlint-disable-next-line typescript/no-empty-interface -- filled by declaration merging
export interface SessionData {}
