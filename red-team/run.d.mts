export interface Target {
  readonly url: string;
  readonly secret: string;
}
export const SECRET: string;
/** By name: what an attack reached, or `null` where it failed. */
export const attacks: Readonly<Record<string, (target: Target) => Promise<string | null>>>;
