import { plainHandlers } from "../cases.mjs";

/** The framework alone. */
export function setUp() {
  return { middleware: null, handlers: plainHandlers };
}
