import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { afterEach, beforeEach, expect, test } from "vitest";
import { CuttingProxy } from "./cutting-proxy.ts";

let echo: Server;
let heard: string;
let proxy: CuttingProxy;

beforeEach(async () => {
  heard = "";
  echo = createServer((socket) => {
    socket.on("data", (chunk) => {
      heard += String(chunk);
      socket.write(chunk);
    });
    socket.on("error", () => undefined);
  }).listen(0, "127.0.0.1");
  await once(echo, "listening");
  proxy = await CuttingProxy.before((echo.address() as AddressInfo).port);
});

afterEach(async () => {
  await proxy.close();
  echo.close();
});

/** A connection through the proxy, and what it has read. */
function dial(): { socket: Socket; read: () => string; closed: Promise<unknown> } {
  const socket = connect(proxy.port, "127.0.0.1");
  let text = "";
  socket.on("data", (chunk) => (text += String(chunk))).on("error", () => undefined);
  return { socket, read: () => text, closed: new Promise((resolve) => socket.on("close", resolve)) };
}

test("passes both ways and counts", async () => {
  const { socket, read } = dial();
  for (const word of ["one", "two"]) {
    socket.write(word);
    await once(socket, "data");
  }
  expect(read()).toBe("onetwo");
  expect(proxy.counts).toEqual({ toServer: 6, toClient: 6, roundTrips: 2, connections: 1 });
  socket.destroy();
});

test.each([0, 1, 4])("cuts what is asked after %i bytes, and the next connection is whole", async (bytes) => {
  const cut = proxy.cutAfter("toServer", bytes);
  const { socket, closed } = dial();
  socket.write("question");
  await Promise.all([cut, closed]);
  await expect.poll(() => heard).toBe("question".slice(0, bytes));
  const second = dial();
  second.socket.write("again");
  await once(second.socket, "data");
  expect(second.read()).toBe("again");
  second.socket.destroy();
});

test.each([0, 1, 4])("cuts what is answered after %i bytes", async (bytes) => {
  const cut = proxy.cutAfter("toClient", bytes);
  const { socket, read, closed } = dial();
  socket.write("question");
  await Promise.all([cut, closed]);
  expect([heard, read()]).toEqual(["question", "question".slice(0, bytes)]);
});

test("hangs without an answer until it is told to pass", async () => {
  const before = dial();
  await once(before.socket, "connect");
  proxy.hang();
  const during = dial();
  await once(during.socket, "connect");
  before.socket.write("lost");
  during.socket.write("lost");
  await expect.poll(() => proxy.open).toBe(2);
  proxy.pass();
  await Promise.all([before.closed, during.closed]);
  expect([heard, before.read(), during.read()]).toEqual(["", "", ""]);
  const after = dial();
  after.socket.write("here");
  await once(after.socket, "data");
  expect(after.read()).toBe("here");
  after.socket.destroy();
});

test("refuses, and keeps the order of what it delays", async () => {
  proxy.refuse();
  await dial().closed;
  proxy.pass();
  proxy.delay(5);
  const { socket, read } = dial();
  for (const digit of "123456789") socket.write(digit);
  await expect.poll(read).toBe("123456789");
  socket.destroy();
});

test("holds answers back, and delivers them in order with what comes after", async () => {
  const { socket, read } = dial();
  await once(socket, "connect");
  proxy.hold();
  socket.write("one");
  await expect.poll(() => heard).toBe("one");
  socket.write("two");
  await expect.poll(() => heard).toBe("onetwo");
  expect(read()).toBe("");
  proxy.release();
  socket.write("three");
  await expect.poll(read).toBe("onetwothree");
  socket.destroy();
});
