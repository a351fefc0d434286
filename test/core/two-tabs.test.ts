/** What one request asks for while another of the same browser, or another call of its own, is under way. */
import { beforeEach, describe, expect, it } from "vitest";
import { createSessions, type Sessions } from "../../src/create-sessions.ts";
import { MemoryStore } from "../../src/stores/memory.ts";
import { HostileStore } from "../../src/testing/hostile-store.ts";
import { Browser } from "../support/browser.ts";

const secretKey = "a secret of more than thirty-two bytes";

for (const local of [true, false]) {
  describe(`on a ${local ? "local" : "remote"} store`, () => {
    let store: HostileStore;
    let sessions: Sessions;
    let browser: Browser;

    beforeEach(async () => {
      store = new HostileStore(new MemoryStore(), { local });
      sessions = createSessions({ secretKey, store, logLevel: "silent" });
      browser = new Browser(sessions);
      await browser.visit((session) => void (session["cart"] = ["sku-1"]));
    });

    describe("a logout that is under way while another tab signs in", () => {
      it("leaves the newer cookie alone, and begins no session in its place", async () => {
        const logout = await browser.start();
        logout.session.get("cart");
        await browser.visit((session) => session.login("ann"));
        await logout.session.logout();
        expect(() => (logout.session["notice"] = "signed out")).toThrow(
          expect.objectContaining({ code: "ERR_SESSION_GONE" }),
        );
        const lines = await logout.end();
        expect(lines).toEqual([]);
        browser.keep(lines);
        expect((await browser.visit((session) => session.info.userId)).result).toBe("ann");
      });

      it("ends as destroy() does", async () => {
        const logout = await browser.start();
        logout.session.get("cart");
        await browser.visit((session) => session.regenerate());
        await logout.session.destroy();
        expect(await logout.end()).toEqual([]);
        expect((await browser.visit((session) => session.get("cart"))).result).toEqual(["sku-1"]);
      });
    });

    it("a logout after another tab's logout, or a revocation, still expires the cookie", async () => {
      const logout = await browser.start();
      logout.session.get("cart");
      await browser.visit((session) => session.logout());
      await logout.session.logout();
      expect(await logout.end()).toEqual([expect.stringContaining("Max-Age=0")]);
    });

    describe("two logins at once in one request", () => {
      it("of two users leave nothing of the first one's data, nor what the visitor had before", async () => {
        await browser.visit(async (session) => {
          const first = session.login("ann");
          const second = session.login("bob");
          await Promise.all([first, second]);
        });
        const { result } = await browser.visit((session) => [session.info.userId, { ...session }]);
        expect(result).toEqual(["bob", {}]);
      });

      it("keep what is written after the second", async () => {
        await browser.visit(async (session) => {
          const logins = [session.login("ann"), session.login("bob")];
          session["mine"] = true;
          await Promise.all(logins);
        });
        const { result } = await browser.visit((session) => [session.info.userId, { ...session }]);
        expect(result).toEqual(["bob", { mine: true }]);
      });

      it("of one user keep the data", async () => {
        await browser.visit((session) => Promise.all([session.login("ann"), session.login("ann")]));
        expect((await browser.visit((session) => session.get("cart"))).result).toEqual(["sku-1"]);
      });

      it("that failed leaves no trace in the next", async () => {
        store.fail("rotate");
        const visit = await browser.start();
        visit.session.get("cart");
        await expect(visit.session.login("ann")).rejects.toThrow("the store failed");
        store.heal();
        await visit.session.login("bob");
        browser.keep(await visit.end());
        expect((await browser.visit((session) => session.get("cart"))).result).toEqual(["sku-1"]);
      });
    });
  });
}
