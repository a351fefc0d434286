/** Whether `NODE_ENV` says that this is no development, on runtimes that have it. */
export function inProduction(): boolean {
  const { process } = globalThis as { process?: { env?: Record<string, string | undefined> } };
  return process?.env?.["NODE_ENV"] === "production";
}
