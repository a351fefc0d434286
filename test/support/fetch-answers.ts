/** How tests answer with a Response of the Fetch API. */
import type { AdapterAnswer } from "../../src/testing/index.ts";

/** A body that is written piece by piece. */
export function readable(stream: NonNullable<AdapterAnswer["stream"]>): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  return new ReadableStream({
    async start(controller) {
      await stream((text) => controller.enqueue(encoder.encode(text)));
      controller.close();
    },
  });
}

/** What an answer's body is to a Response. */
export function bodyOf({ stream, body }: AdapterAnswer): ReadableStream<Uint8Array> | string | null {
  return stream === undefined ? (body ?? null) : readable(stream);
}
