/**
 * Imports modules one after another and prints, as JSON, what each did meanwhile that a module must not do: timers,
 * random numbers, files, sockets, listeners on the process. Then constructs what they export, under the same watch.
 *
 * Arguments: JSON of `{ warmUp: package names, modules: [name, url][] }`.
 */
import crypto from "node:crypto";
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import net from "node:net";

const { warmUp, modules } = JSON.parse(process.argv[2]);
const effects = [];
let during = "";

function watch(owner, label, names) {
  for (const name of names) {
    const original = owner[name];
    if (typeof original !== "function") continue;
    const watched = function (...parameters) {
      if (isCalledByModule()) effects.push(`${during}: ${label}${name}`);
      return original.apply(this, parameters);
    };
    Object.defineProperty(owner, name, { value: watched, writable: true, configurable: true });
  }
}

/** Not by this file, and not by Node, whose loader opens the modules' own files. */
function isCalledByModule() {
  const frames = new Error("where").stack.split("\n");
  return frames.some((frame) => /(file|data):/.test(frame) && !frame.includes(import.meta.url));
}

Error.stackTraceLimit = 100;

// What a framework does when it is imported is its own business: it happens before the watch begins.
for (const name of warmUp) await import(name);

watch(globalThis, "", ["setTimeout", "setInterval", "setImmediate", "fetch"]);
watch(Math, "Math.", ["random"]);
const randomness = ["randomBytes", "randomFill", "randomFillSync", "randomInt", "randomUUID"];
watch(crypto, "crypto.", [...randomness, "generateKeySync", "generateKeyPairSync"]);
watch(Object.getPrototypeOf(crypto.webcrypto), "webcrypto.", ["getRandomValues", "randomUUID"]);
watch(fs, "fs.", ["open", "openSync", "mkdir", "mkdirSync", "writeFile", "writeFileSync", "existsSync", "statSync"]);
watch(net.Socket.prototype, "socket.", ["connect"]);
watch(process, "process.", ["on", "once", "addListener", "emitWarning"]);
syncBuiltinESMExports();
const resources = process.getActiveResourcesInfo().length;

const loaded = new Map();
for (const [name, url] of modules) {
  during = `import ${name}`;
  loaded.set(name, await import(url));
}

const options = { secretKey: "a secret for this test, long enough to be accepted" };
const constructed = [];
for (const [name, module] of loaded) {
  during = `construct ${name}`;
  const { createSessions, fastSession, MemoryStore, SqliteStore, TimedSignatureSerializer } = module;
  if (createSessions) createSessions(options);
  if (fastSession && !/fastify|nest/.test(name)) fastSession(options);
  if (MemoryStore) constructed.push(new MemoryStore());
  if (SqliteStore) constructed.push(new SqliteStore("never-opened.sqlite"));
  if (TimedSignatureSerializer) constructed.push(new TimedSignatureSerializer(options.secretKey));
}

during = "afterwards";
if (process.getActiveResourcesInfo().length > resources) effects.push("something keeps the process alive");
console.log(JSON.stringify(effects));
