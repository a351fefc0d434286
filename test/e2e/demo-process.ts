/** The demo as its users start it: a process with a port and a folder of its own. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { repository } from "../support/source-files.ts";

export interface Demo {
  readonly url: string;
  readonly port: number;
  /** Asks it to stop and waits until it did. Answers its exit code. */
  stop(): Promise<number | null>;
}

/** Starts the demo and waits until it serves. @throws Error with what it printed, where it ends instead */
export async function startDemo(folder: string, port = 0, secret?: string): Promise<Demo> {
  // The demo names the package; its tsconfig.json leads the names to the source, so that no old build is tested.
  const child = spawn(process.execPath, ["--import", "tsx", "demo/server.ts"], {
    cwd: repository,
    env: {
      ...process.env,
      TSX_TSCONFIG_PATH: join(repository, "demo/tsconfig.json"),
      DATA_FOLDER: folder,
      PORT: String(port),
      SESSION_SECRET: secret,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const exit = once(child, "close") as Promise<[number | null]>;
  let output = "";
  const url = new Promise<string>((resolve) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => {
        output += text;
        const line = /http:\/\/localhost:\d+/.exec(output)?.[0];
        if (line !== undefined) resolve(line);
      });
    }
  });
  const failed = exit.then(([code]): never => {
    throw new Error(`the demo ended with code ${code}: ${output}`);
  });
  const served = await Promise.race([url, failed]);
  failed.catch(() => undefined);
  return {
    url: served,
    port: Number(new URL(served).port),
    async stop() {
      child.kill("SIGTERM");
      const [code] = await exit;
      return code;
    },
  };
}
