import { attributesOf, type Routes, type Stage } from "./adapter-scene.ts";
import { check, same } from "./store-contract-assert.ts";

const routes: Routes = {
  "/write": ({ session }) => {
    session["color"] = "red";
    return "written";
  },
};

const FORWARDED = { "x-forwarded-proto": "https" };

/** Who is behind a proxy, and has not said so, is told. */
export function tellProxies({ story }: Stage): void {
  for (const [secure, headers, reason] of [
    ["auto", FORWARDED, /without Secure: X-Forwarded-Proto says https, but no proxy is trusted: .*trustProxy/],
    [true, FORWARDED, /X-Forwarded-Proto says https, but no proxy is trusted: .*trustProxy/],
    [true, {}, /came unencrypted.*secure: "auto"/],
  ] as const) {
    const from = headers === FORWARDED ? "behind a proxy that is not trusted" : "over plain HTTP";
    story(`secure ${JSON.stringify(secure)} ${from} warns once, with the reason and the remedy`, async (begin) => {
      const { stranger, log } = await begin(routes, { session: { secure } });
      for (let visit = 0; visit < 3; visit += 1) {
        const { setCookies } = await stranger().visit("/write", { headers });
        same(attributesOf(setCookies[0] ?? "").includes("Secure"), secure === true, "whether the cookie is Secure");
      }
      const warnings = log.filter((line) => line.includes("Secure"));
      same(warnings.length, 1, "warnings");
      check(reason.test(warnings[0] ?? ""), `the warning does not say why: ${warnings[0] ?? ""}`);
    });
  }

  for (const [name, session, headers] of [
    ['secure "auto" over plain HTTP', { secure: "auto" }, {}],
    ['secure "auto" behind a proxy that is trusted', { secure: "auto", trustProxy: true }, FORWARDED],
    ["secure true behind a proxy that is trusted", { trustProxy: true }, FORWARDED],
    ["secure false", { secure: false }, FORWARDED],
  ] as const) {
    story(`${name} warns of nothing`, async (begin) => {
      const { browser, log } = await begin(routes, { session });
      same((await browser.visit("/write", { headers })).setCookies.length, 1, "cookies");
      same(log, [], "the log");
    });
  }
}
