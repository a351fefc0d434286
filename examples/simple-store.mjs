// A store with the original's five methods: a JSON file for each session. For one process; who reads it has the ids.
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import express from "express";
import { fastSession } from "fastsession/express";

export class FolderStore {
  constructor(folder) {
    this.folder = folder;
  }
  async hasSessionId(id) {
    return (await this.getStore(id)) !== null;
  }
  async createStore(id) {
    await mkdir(this.folder, { recursive: true });
    await this.saveStore(id, {});
  }
  async getStore(id) {
    return JSON.parse(await readFile(join(this.folder, `${id}.json`), "utf8").catch(() => "null"));
  }
  async saveStore(id, data) {
    // Renaming is one step: nobody reads half a file.
    await writeFile(join(this.folder, `${id}.tmp`), JSON.stringify(data), { mode: 0o600 });
    await rename(join(this.folder, `${id}.tmp`), join(this.folder, `${id}.json`));
  }
  async gc() {
    for (const file of await readdir(this.folder)) {
      const data = file.endsWith(".json") ? await this.getStore(file.slice(0, -5)) : null;
      if (data?.__fastsession__.expiresAt < Date.now()) await rm(join(this.folder, file));
    }
  }
}

export const app = express();
const store = new FolderStore(process.env.SESSION_FOLDER ?? "sessions");
app.use(fastSession({ secretKey: process.env.SESSION_SECRET, store }));
app.get("/", (req, res) => res.json({ visits: req.session.increment("visits") }));

if (process.argv[1] === import.meta.filename) app.listen(3000);
