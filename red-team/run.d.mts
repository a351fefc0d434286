export interface Target {
  readonly url: string;
  readonly secret: string;
  /** Where `stage.ts` is served, or the like of it. */
  readonly stage: string;
}
/** A server of its own, ended by `stop`. */
export interface Started {
  readonly url: string;
  stop(): Promise<void>;
}
/** Serves what the demo has no page for. */
export function startStage(): Promise<Started>;
export const SECRET: string;
/** By name: what an attack reached, or `null` where it failed. */
export const attacks: Readonly<Record<string, (target: Target) => Promise<string | null>>>;
