/** Errors as frameworks, clients and logs meet them. */
import { describe, expect, it } from "vitest";
import { FastSessionError, type FastSessionErrorCode } from "../../src/core/errors.ts";

describe("an error of the library", () => {
  it.each<[FastSessionErrorCode, number, string]>([
    ["ERR_SESSION_STORE", 503, "Service Unavailable"],
    ["ERR_SESSION_STORE_UNKNOWN", 503, "Service Unavailable"],
    ["ERR_SESSION_STORE_FULL", 503, "Service Unavailable"],
    ["ERR_SESSION_UNAVAILABLE", 503, "Service Unavailable"],
    ["ERR_SESSION_CONFLICT", 409, "Conflict"],
    ["ERR_SESSION_GONE", 409, "Conflict"],
    ["ERR_SESSION_LOCKED", 409, "Conflict"],
    ["ERR_SESSION_REJECTED", 409, "Conflict"],
    ["ERR_SESSION_CSRF", 403, "Forbidden"],
    ["ERR_SESSION_VALUE", 500, "Internal Server Error"],
  ])("%s is a %d whose message no client sees", async (code, status, body) => {
    const error = new FastSessionError(code, "what operators read", { path: "cart[2]" });
    expect(error).toMatchObject({ name: "FastSessionError", code, status, statusCode: status, expose: false });
    expect([error.path, error.message]).toEqual(["cart[2]", "what operators read"]);
    const response = error.getResponse();
    expect([response.status, await response.text()]).toEqual([status, body]);
  });

  it("keeps an error of its own as its cause, and the word for why a session ended", () => {
    const cause = new FastSessionError("ERR_SESSION_STORE", "out of memory");
    expect(new FastSessionError("ERR_SESSION_STORE_UNKNOWN", "", { cause }).cause).toBe(cause);
    expect(new FastSessionError("ERR_SESSION_GONE", "", { cause: "expired-idle" }).cause).toBe("expired-idle");
    expect("cause" in new FastSessionError("ERR_SESSION_GONE", "")).toBe(false);
  });

  it.each(["a password", "UPPER", "x".repeat(21), "word and more", "9lives", 7, null, undefined, ["expired-idle"]])(
    "keeps nothing of a cause that is neither: %j",
    (cause) => {
      const kept = new FastSessionError("ERR_SESSION_STORE", "", { cause }).cause as Error;
      expect(kept).toBeInstanceOf(Error);
      expect(kept.message).not.toContain(String(cause ?? "none"));
    },
  );
});
