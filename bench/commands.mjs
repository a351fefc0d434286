/** Calls between the driver and its child processes, and where those run. */
import { fork, spawnSync } from "node:child_process";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";

/** In a child: answers the driver's calls. */
export function answerCommands(commands) {
  process.on("message", (message) => void answer(commands, message));
  process.on("disconnect", () => process.exit());
  process.on("SIGTERM", () => process.exit());
}

async function answer(commands, { id, command, argument }) {
  try {
    process.send({ id, answer: await commands[command](argument) });
  } catch (error) {
    process.send({ id, error: String(error?.stack ?? error) });
  }
}

/** Servers run on one core and the client on another, where the system can be told to. */
export const SERVER_CORE = 0;
export const CLIENT_CORE = 1;
export const pinned = availableParallelism() > 1 && spawnSync("taskset", ["--version"]).status === 0;

/** Starts a child on a core. */
export function startChild(script, args, core) {
  const child = fork(fileURLToPath(new URL(script, import.meta.url)), args, {
    env: { ...process.env, NODE_ENV: "production" },
    serialization: "advanced",
    ...(pinned && { execPath: "taskset", execArgv: ["-c", String(core), process.execPath] }),
  });
  const waiting = new Map();
  let last = 0;
  child.on("message", ({ id, answer, error }) => {
    const { resolve, reject } = waiting.get(id);
    waiting.delete(id);
    if (error === undefined) resolve(answer);
    else reject(new Error(`${script} ${args.join(" ")}: ${error}`));
  });
  child.on("exit", (code) => {
    for (const { reject } of waiting.values()) reject(new Error(`${script} ${args.join(" ")} ended with ${code}`));
  });
  return {
    pid: child.pid,
    call: (command, argument) =>
      new Promise((resolve, reject) => {
        waiting.set((last += 1), { resolve, reject });
        child.send({ id: last, command, argument });
      }),
    stop: () => child.disconnect(),
  };
}
