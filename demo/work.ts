import { setTimeout as pause } from "node:timers/promises";

/** What a real handler would wait for: requests that are sent at once thus really overlap. */
export async function work(): Promise<void> {
  await pause(Math.random() * 50);
}
