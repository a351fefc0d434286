import { type Call, codeOf, linesFor, moment, type Routes, type Scene, type Stage } from "./adapter-scene.ts";
import { check, same } from "./store-contract-assert.ts";

const routes: Routes = {
  "/read": ({ session }) => String(session.get("step", "none")),
  "/begin": ({ session }) => {
    session["step"] = "begun";
    return "begun";
  },
  "/later": ({ session }) => {
    session["step"] = "later";
    return "written";
  },
};

/** A route that sends its first byte, waits for `go`, runs `rest` and sends what that answers. */
function streaming(before: (call: Call) => void, go: Promise<void>, rest: (call: Call) => unknown): Routes[string] {
  return (call) => {
    before(call);
    return {
      headers: { "content-type": "text/plain; charset=utf-8" },
      async stream(write) {
        write("first ");
        await go;
        write(String(await rest(call)));
      },
    };
  };
}

/** Opens a stream and reads its first piece; `rest` reads the others. */
async function openStream(
  { browser }: Scene,
  path: string,
): Promise<{ response: Response; rest: () => Promise<string> }> {
  const response = await browser.open(path);
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  const decoder = new TextDecoder();
  const { value } = await reader.read();
  same(decoder.decode(value), "first ", "the first piece");
  return {
    response,
    async rest() {
      let text = "";
      for (;;) {
        const { done, value: piece } = await reader.read();
        if (done) return text;
        text += decoder.decode(piece);
      }
    },
  };
}

/** Responses that take their time: what is done before their first byte, and after. */
export function tellStreams({ story, kind }: Stage): void {
  story("what was set before the first byte is saved when it arrives", async (begin) => {
    const go = moment();
    const set = ({ session }: Call): void => void (session["step"] = "before");
    const scene = await begin({ ...routes, "/stream": streaming(set, go.come, () => "last") });
    const { response, rest } = await openStream(scene, "/stream");
    same(response.headers.getSetCookie().length, 1, "cookies");
    same((await scene.browser.visit("/read")).text, "before", "what another request reads in the meantime");
    go.bring();
    same(await rest(), "last", "the rest of the stream");
  });

  story("a write after the first byte is saved, on a saved session", async (begin) => {
    const go = moment();
    const look = ({ session }: Call): void => void session.get("step");
    const scene = await begin({
      ...routes,
      "/stream": streaming(look, go.come, async ({ session }) => {
        session["step"] = "after";
        await session.saveSession();
        return "last";
      }),
    });
    await scene.browser.visit("/begin");
    const { response, rest } = await openStream(scene, "/stream");
    same([response.headers.getSetCookie(), response.headers.get("vary")], [[], "Cookie"], "cookies and Vary");
    go.bring();
    same(await rest(), "last", "the rest of the stream");
    same((await scene.browser.visit("/read")).text, "after", "what the next request reads");
  });

  if (kind === "local") {
    story("writes after the first byte are saved turn by turn, without being told to", async (begin) => {
      const go = moment();
      const begun = (call: Call): void => void call.session.get("step");
      const scene = await begin({
        ...routes,
        "/stream": streaming(begun, go.come, ({ session }) => {
          session["step"] = "one";
          session["step"] = "after";
          session.increment("count");
          return "last";
        }),
      });
      await scene.browser.visit("/begin");
      const { rest } = await openStream(scene, "/stream");
      scene.store.takeCalls();
      go.bring();
      await rest();
      same(scene.store.takeCalls(), ["commit"], "store calls for three changes");
      same((await scene.browser.visit("/read")).text, "after", "what the next request reads");
    });
  }

  story("the first write of an unsaved session throws after the first byte", async (begin) => {
    const go = moment();
    const leave = (): void => undefined;
    const scene = await begin({
      ...routes,
      "/stream": streaming(leave, go.come, ({ session }) => codeOf(() => void (session["step"] = "too late"))),
    });
    const { response, rest } = await openStream(scene, "/stream");
    same(response.headers.getSetCookie(), [], "cookies");
    go.bring();
    same(await rest(), "ERR_SESSION_HEADERS_SENT", "what the write throws");
    same(scene.store.calls, [], "store calls");
  });

  for (const [name, act] of [
    ["regenerate", ({ session }: Call) => session.regenerate()],
    ["login", ({ session }: Call) => session.login("ada")],
  ] as const) {
    story(`${name} after the first byte throws and leaves the session as it was`, async (begin) => {
      const go = moment();
      const look = ({ session }: Call): void => void session.get("step");
      const routesHere = { ...routes, "/stream": streaming(look, go.come, (call) => codeOf(() => act(call))) };
      const scene = await begin({ ...routesHere, "/user": ({ session }) => String(session.info.userId) });
      await scene.browser.visit("/begin");
      const { rest } = await openStream(scene, "/stream");
      go.bring();
      same(await rest(), "ERR_SESSION_HEADERS_SENT", `what ${name} throws`);
      same((await scene.browser.visit("/read")).text, "begun", "what the next request reads");
      same((await scene.browser.visit("/user")).text, "null", "the user");
    });
  }

  story("destroy after the first byte ends the session and reports that its cookie stays", async (begin) => {
    const go = moment();
    const look = ({ session }: Call): void => void session.get("step");
    const end = async ({ session }: Call): Promise<string> => {
      await session.destroy();
      return "ended";
    };
    const scene = await begin({ ...routes, "/stream": streaming(look, go.come, end) });
    await scene.browser.visit("/begin");
    const { rest } = await openStream(scene, "/stream");
    go.bring();
    same(await rest(), "ended", "the rest of the stream");
    same((await scene.browser.visit("/read")).text, "none", "what the next request reads");
    check(
      scene.log.some((line) => line.includes("after the headers")),
      "nothing was logged about the cookie",
    );
  });

  story("a session that is saved before streaming can be written to all the time", async (begin) => {
    const go = moment();
    const scene = await begin({
      ...routes,
      "/stream": async (call) => {
        await call.session.saveSession();
        const rest = async ({ session }: Call): Promise<string> => {
          session["step"] = "after";
          await session.saveSession();
          return "last";
        };
        return streaming(() => undefined, go.come, rest)(call);
      },
    });
    const { response, rest } = await openStream(scene, "/stream");
    same(linesFor(response.headers.getSetCookie(), "sid").length, 1, "cookies");
    go.bring();
    await rest();
    same((await scene.browser.visit("/read")).text, "after", "what the next request reads");
  });

  for (const [name, rest] of [
    ["only reads", () => "last"],
    [
      "writes something else",
      async ({ session }: Call) => {
        session["other"] = "kept";
        await session.saveSession();
        return "last";
      },
    ],
  ] as const) {
    story(`a stream that ${name} and ends late does not undo what was written since it began`, async (begin) => {
      const go = moment();
      const look = ({ session }: Call): void => void session.get("step");
      const scene = await begin({ ...routes, "/stream": streaming(look, go.come, rest) });
      await scene.browser.visit("/begin");
      const stream = await openStream(scene, "/stream");
      await scene.browser.visit("/later");
      go.bring();
      same(await stream.rest(), "last", "the rest of the stream");
      same((await scene.browser.visit("/read")).text, "later", "what the next request reads");
    });
  }

  story("a client that leaves in the middle of a stream takes nothing down", async (begin) => {
    const go = moment();
    const done = moment();
    const look = ({ session }: Call): void => void session.get("step");
    const scene = await begin({
      ...routes,
      "/stream": streaming(look, go.come, async ({ session }) => {
        session["step"] = "after";
        await session.saveSession().finally(done.bring);
        return "last";
      }),
    });
    await scene.browser.visit("/begin");
    const leave = new AbortController();
    const response = await scene.browser.open("/stream", { signal: leave.signal });
    leave.abort();
    check((await codeOf(() => response.text())) !== "nothing", "the client has left");
    go.bring();
    await done.come;
    same((await scene.browser.visit("/read")).text, "after", "what the next request reads");
  });
}
