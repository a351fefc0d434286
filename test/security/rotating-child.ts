/**
 * A process that gives one session one new key after the other, on a file, and says so after each, until it is killed by
 * `killed-rotations.processes.test.ts`.
 */
import { SqliteStore } from "../../src/stores/sqlite.ts";
import { HOUR, keyNumber, NOW, USER } from "./rotating-session.ts";

const [path = "", from = ""] = process.argv.slice(2);
const store = new SqliteStore(path);

process.once("message", () => {
  for (let n = Number(from); ; n += 1) {
    const change = { operation: `${n}`, now: NOW, clear: true, set: { a: `${n + 1}`, b: "x".repeat(9000) + (n + 1) } };
    const leave = { kind: "tombstone", reason: "rotated", expiresAt: NOW + HOUR } as const;
    // Every other one is a login, which changes the index, too.
    const bind = n % 2 === 0 ? {} : { bind: { userId: USER, metadata: {}, maxAge: null } };
    const answer = store.rotate(keyNumber(n), keyNumber(n + 1), change, { leave, ...bind });
    if (!("ok" in answer) || !answer.ok) throw new Error("a rotation was refused");
    // At once: the process is killed in the middle of what it does next.
    process.send?.(n + 1);
  }
});
process.send?.("ready");
