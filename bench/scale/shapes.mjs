/**
 * A child: requests through `node:http`'s adapter without a network. Sessions of many sizes with one small field touched,
 * of many fields, parallel requests of one session, and floods without or with forged cookies. CPU µs a request.
 */
import { createServer } from "node:http";
import { MemoryStore } from "fastsession";
import { fastSession } from "fastsession/node";
import { cpuMicros, exchange } from "../in-process.mjs";
import { median } from "../statistics.mjs";

const store = new MemoryStore();
const session = fastSession({ secretKey: "only-for-the-benchmark-0123456789abcdef", secure: "auto", store });
const server = createServer(
  session((request, response) => {
    const url = new URL(request.url, "http://localhost");
    const size = Number(url.searchParams.get("size") ?? 0);
    const fields = Number(url.searchParams.get("fields") ?? 0);
    switch (url.pathname) {
      case "/fill":
        request.session.counter = 0;
        if (size > 0) request.session.rest = Array.from({ length: Math.ceil(size / 50) }, () => "x".repeat(47));
        for (let index = 0; index < fields; index++) request.session[`field${index}`] = index;
        break;
      case "/touch":
        request.session.increment("counter");
        break;
      case "/read":
        void request.session.counter;
        break;
    }
    response.end("ok");
  }),
);
const cookieOf = (answer) => /^set-cookie: ([^;\r]+)/im.exec(answer)[1];

/** Median CPU µs over batches of `count` requests. */
async function measure(run, count) {
  const batches = [];
  for (let batch = 0; batch < 15; batch++) {
    const from = cpuMicros();
    await run(count);
    batches.push((cpuMicros() - from) / count);
  }
  return Number(median(batches.slice(3)).toFixed(2));
}

const oneByOne = (path, cookie) => async (count) => {
  for (let index = 0; index < count; index++)
    await exchange(server, path, typeof cookie === "function" ? cookie(index) : cookie);
};

const rows = [];
for (const [name, size] of [
  ["1 KB", 1e3],
  ["10 KB", 1e4],
  ["100 KB", 1e5],
  ["1 MB", 1e6 - 50_000],
]) {
  const cookie = cookieOf(await exchange(server, `/fill?size=${size}`));
  rows.push({
    what: `a session of ${name}, one small field incremented`,
    micros: await measure(oneByOne("/touch", cookie), 1000),
  });
}
for (const fields of [1, 10, 100]) {
  const cookie = cookieOf(await exchange(server, `/fill?fields=${fields - 1}`));
  rows.push({
    what: `a session of ${fields} fields, one incremented`,
    micros: await measure(oneByOne("/touch", cookie), 1000),
  });
}
for (const parallel of [1, 4, 16, 64]) {
  const cookie = cookieOf(await exchange(server, "/fill"));
  const run = async (count) => {
    for (let sent = 0; sent < count; sent += parallel) {
      await Promise.all(Array.from({ length: parallel }, () => exchange(server, "/touch", cookie)));
    }
  };
  rows.push({
    what: `${parallel} parallel requests of one session, one field incremented`,
    micros: await measure(run, 960),
  });
}
const good = cookieOf(await exchange(server, "/fill"));
rows.push({ what: "a flood without cookies, session read", micros: await measure(oneByOne("/read"), 2000) });
let forged = 0;
const forge = () => `${good.slice(0, -8)}${String((forged += 1)).padStart(8, "A")}`;
rows.push({ what: "a flood of forged cookies, session read", micros: await measure(oneByOne("/read", forge), 2000) });
rows.push({ what: "the same with a valid cookie", micros: await measure(oneByOne("/read", good), 2000) });
process.stdout.write(JSON.stringify(rows));
process.exit(0);
