import { expect, test } from "vitest";
import { openSuccessor, sealSuccessor } from "../../src/core/sealed-id.ts";
import { newId } from "../../src/core/session-id.ts";

const successor = { id: newId(), until: 1_764_000_060_123 };

test("a sealed id is read under the old one", () => {
  const oldId = newId();
  expect(openSuccessor(oldId, sealSuccessor(oldId, successor))).toEqual(successor);
});

test("an id of a generator of one's own comes back as it was", () => {
  const oldId = "a-generator-of_mine-000";
  const id = "-".repeat(128);
  expect(openSuccessor(oldId, sealSuccessor(oldId, { id, until: 0 }))).toEqual({ id, until: 0 });
});

test("under another id it says nothing", () => {
  expect(openSuccessor(newId(), sealSuccessor(newId(), successor))).toBeNull();
});

test("whoever changes a character has nothing", () => {
  const oldId = newId();
  const sealed = sealSuccessor(oldId, successor);
  for (let at = 0; at < sealed.length; at += 1) {
    const other = sealed[at] === "A" ? "B" : "A";
    expect(openSuccessor(oldId, sealed.slice(0, at) + other + sealed.slice(at + 1))).toBeNull();
  }
  for (const text of ["", "x", sealed.slice(1), `${sealed}A`, `sealed-${newId()}`]) {
    expect(openSuccessor(oldId, text)).toBeNull();
  }
});

test("it shows neither id, and no two are alike", () => {
  const oldId = newId();
  const sealed = sealSuccessor(oldId, successor);
  expect(sealed).not.toContain(successor.id);
  expect(sealed).not.toContain(oldId);
  expect(sealSuccessor(oldId, successor)).not.toBe(sealed);
});
