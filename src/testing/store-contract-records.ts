import { newOperation } from "../core/session-id.ts";
import type { Fields, Key } from "../core/session-record.ts";
import { check, same } from "./store-contract-assert.ts";
import { HOUR, MINUTE, type Scene, START, type StoreCase } from "./store-contract-scene.ts";

/** Texts that a store is tempted to normalise. U+0000 and lone surrogates are not among them: codecs escape those. */
const TEXTS: Fields = {
  spaced: '{"b": 1.0, "a":1e3}',
  twice: '{"a":1,"a":2}',
  escaped: '"\\u0000\\ud800\\/"',
  empty: "",
  blank: " \t\r\n ",
  quotes: `'"\`\\;--%_{0}$1\u2028`,
  number: "01.50",
  null: "null",
  languages: '"Größe, 寸法, мера, قياس, 🧵"',
  composed: "é",
  decomposed: "e\u0301",
  notJson: "gQGjZm9v==.v1",
};

const NAMES: readonly string[] = [
  "",
  " ",
  "a",
  "A",
  "a ",
  "a.b",
  "a,b",
  "a b",
  "$set",
  "0",
  "10",
  "-1",
  "'",
  '"',
  "\\",
  "%",
  "ключ",
  "é",
  "e\u0301",
  "🧵",
  "constructor",
  "hasOwnProperty",
  "toString",
  "valueOf",
  "then",
  "__defineGetter__",
  "kind",
  "fields",
  "version",
  "expiresAt",
  "handle",
  "n".repeat(200),
];

/** What `create` and `load` promise. */
export const recordCases: readonly StoreCase[] = [
  {
    promise: "load answers null for a key that was never made",
    run: async (scene) => same(await scene.store.load(scene.key(), START), null, "load"),
  },
  {
    promise: "create makes a record that load answers exactly",
    run: async (scene) => {
      const session = scene.session({
        fields: { user: '"ann"', cart: "[1]" },
        createdAt: START - 2,
        lastUsedAt: START - 1,
        expiresAt: START + 1_001,
      });
      const answer = await scene.store.create(session, { operation: newOperation(), now: START });
      same(answer, { ok: true, evicted: [] }, "create");
      const { kind, fields, createdAt, lastUsedAt, expiresAt, handle, binding } = await scene.stored(session.key);
      const { key: _, ...given } = session;
      const loaded = { kind, fields, createdAt, lastUsedAt, expiresAt, handle, binding };
      same(loaded, { kind: "session", ...given, binding: null }, "load");
    },
  },
  {
    promise: "a text comes back as it went in, character for character",
    run: async (scene) => {
      const { key } = await scene.create({ fields: TEXTS });
      same(await scene.fieldsOf(key), TEXTS, "the texts of create");
      const shifted = Object.fromEntries(Object.entries(TEXTS).map(([name, text]) => [`again ${name}`, text]));
      await scene.commit(key, { set: shifted });
      same(await scene.fieldsOf(key), { ...TEXTS, ...shifted }, "the texts of commit");
    },
  },
  {
    promise: "a field may have any name, and names differ in every character",
    run: async (scene) => {
      const fields = Object.fromEntries(NAMES.map((name, index) => [name, String(index)]));
      const { key } = await scene.create({ fields });
      same(await scene.fieldsOf(key), fields, "the fields of create");
      const absent = Object.fromEntries(NAMES.map((name) => [name, null]));
      const empty = await scene.create({ fields: {} });
      await scene.commit(empty.key, { expect: absent, set: fields });
      same(await scene.fieldsOf(empty.key), fields, "the fields of commit");
      await scene.commit(key, { remove: NAMES.filter((name) => name !== "A") });
      same(await scene.fieldsOf(key), { A: fields["A"] }, "the fields after all others were removed");
    },
  },
  {
    promise: "keys differ in every character, and in its case",
    run: async (scene) => {
      const key = keyWithLetters(scene);
      const twin = key.slice(0, -8) + swapCase(key.slice(-8));
      await scene.create({ key });
      same(await scene.store.load(twin, START), null, "load of the same key in another case");
      await scene.create({ key: twin, fields: { twin: "1" } });
      same(await scene.fieldsOf(key), { a: "1" }, "the first record");
    },
  },
  {
    promise: "a session without fields is a session",
    run: async (scene) => {
      const { key } = await scene.create({ fields: {} });
      same(await scene.fieldsOf(key), {}, "its fields");
      await scene.commit(key, { set: { a: "1" } });
      await scene.commit(key, { remove: ["a"] });
      same(await scene.fieldsOf(key), {}, "its fields after the last was removed");
    },
  },
  {
    promise: "a hundred kilobytes in one field and three hundred fields fit",
    run: async (scene) => {
      const many = Object.fromEntries(Array.from({ length: 300 }, (_, index) => [`field ${index}`, `"${index}"`]));
      const fields = { ...many, large: JSON.stringify("é".repeat(50_000)) };
      const { key } = await scene.create({ fields });
      same(await scene.fieldsOf(key), fields, "the fields of create");
      await scene.commit(key, {
        expect: { "field 9": '"9"', large: fields.large },
        set: { "field 7": "8", large: `"${fields.large}"` },
      });
      const changed = { ...fields, "field 7": "8", large: `"${fields.large}"` };
      same(await scene.fieldsOf(key), changed, "the fields of commit");
    },
  },
  {
    promise: "create refuses a key that holds a record, and leaves that as it is",
    run: async (scene) => {
      const { key } = await scene.create({ fields: { first: "1" } });
      const before = { ...(await scene.stored(key)) };
      const second = scene.session({ key, fields: { second: "2" }, expiresAt: START + 2 * HOUR });
      const answer = await scene.store.create(second, { operation: newOperation(), now: START });
      same(answer, { ok: false, reason: "duplicate" }, "create");
      same({ ...(await scene.stored(key)) }, before, "the record");
    },
  },
  {
    promise: "create refuses a key under which a tombstone or an alias stands",
    run: async (scene) => {
      const destroyed = await scene.create();
      await scene.destroy(destroyed.key);
      const rotated = await scene.create();
      await scene.rotate(rotated.key);
      const moved = await scene.create();
      await scene.moveOn(moved.key);
      for (const { key } of [destroyed, rotated, moved]) {
        const answer = await scene.store.create(scene.session({ key }), { operation: newOperation(), now: START });
        same(answer, { ok: false, reason: "duplicate" }, "create");
        check(!(await scene.isAlive(key)), "the key holds no record");
      }
    },
  },
  {
    promise: "create takes a key whose record, tombstone or alias has expired, and inherits nothing",
    run: async (scene) => {
      const later = START + HOUR;
      const expired = await scene.create({ fields: { old: "1" }, expiresAt: later });
      await scene.commit(expired.key, { set: { old: "2" } });
      const destroyed = await scene.create();
      await scene.destroy(destroyed.key);
      const moved = await scene.create();
      await scene.moveOn(moved.key);
      for (const { key } of [expired, destroyed, moved]) {
        const fresh = scene.session({ key, fields: { fresh: "1" }, createdAt: later });
        await scene.create(fresh);
        const { fields, createdAt, expiresAt, handle } = await scene.stored(key, later);
        same({ key, fields, createdAt, lastUsedAt: later, expiresAt, handle }, fresh, "the new record");
      }
    },
  },
  {
    promise: "a record past its deadline is answered as it stands, or not at all",
    run: async (scene) => {
      const { key, expiresAt } = await scene.create();
      const found = await scene.store.load(key, expiresAt + MINUTE);
      if (found === null) return;
      check(found.kind === "session", "load answers the record");
      same([found.expiresAt, { ...found.fields }], [expiresAt, { a: "1" }], "deadline and fields");
    },
  },
  {
    promise: "what load handed out does not change afterwards",
    run: async (scene) => {
      const user = scene.store.capabilities.userIndex
        ? scene.bind(scene.user(), { metadata: { agent: "x" } })
        : undefined;
      const { key } = await scene.create({ fields: { a: "1", b: "2" } }, user);
      const { fields, binding } = await scene.stored(key);
      const before = JSON.stringify({ fields, binding });
      await scene.commit(key, { set: { a: "9", c: "3" }, remove: ["b"] });
      await scene.rotate(key, { clear: true }, user);
      same(JSON.stringify({ fields, binding }), before, "fields and binding of an earlier load");
    },
  },
  {
    promise: "what create and commit were given may change afterwards",
    run: async (scene) => {
      const fields: Record<string, string> = { a: "1" };
      const { key } = await scene.create({ fields });
      fields["a"] = "9";
      const set: Record<string, string> = { b: "2" };
      await scene.commit(key, { set });
      set["b"] = "9";
      same(await scene.fieldsOf(key), { a: "1", b: "2" }, "the record");
    },
  },
  {
    promise: "sessions do not touch each other",
    run: async (scene) => {
      const fields = { a: "1" };
      const one = await scene.create({ fields });
      const other = await scene.create({ fields });
      await scene.commit(one.key, { set: { a: "2" }, expiresAt: START + 9 * HOUR });
      await scene.destroy(one.key);
      const { fields: left, expiresAt, handle } = await scene.stored(other.key);
      same(
        { fields: left, expiresAt, handle },
        { fields, expiresAt: other.expiresAt, handle: other.handle },
        "the other",
      );
    },
  },
];

function swapCase(text: string): string {
  return Array.from(text, (letter) =>
    letter === letter.toLowerCase() ? letter.toUpperCase() : letter.toLowerCase(),
  ).join("");
}

function keyWithLetters(scene: Scene): Key {
  for (;;) {
    const key = scene.key();
    if (/[A-Za-z]/.test(key.slice(-8))) return key;
  }
}
