/** Connections to cut, several at once. */
import type { CutLine, CutStore } from "./cut-verbs.ts";
import { CuttingProxy } from "./cutting-proxy.ts";
import { type ClientName, openClient } from "./fault-clients.ts";

const LINES = 6;

export interface CutLines {
  readonly lines: readonly CutLine[];
  close(): Promise<void>;
}

/** @param port of a server in which all is that its store needs */
export async function openLines(client: ClientName, port: number): Promise<CutLines> {
  const direct = await openClient(client, port, LINES);
  const closing = [direct.close];
  const lines: CutLine[] = [];
  for (let line = 0; line < LINES; line += 1) {
    const proxy = await CuttingProxy.before(port);
    const { store, close } = await openClient(client, proxy.port, 1);
    closing.push(close, () => proxy.close());
    lines.push({ proxy, store: store as CutStore, direct: direct.store as CutStore });
  }
  return {
    lines,
    close: async () => {
      for (const close of closing) await close();
    },
  };
}
