import { digestOf } from "../core/crypto.ts";

/** A Lua script and the name by which a server that has seen it knows it. */
export class Script {
  readonly text: string;
  #sha: string | undefined;

  constructor(text: string) {
    this.text = text;
  }

  get sha(): string {
    return (this.#sha ??= digestOf("sha1", this.text).toString("hex"));
  }
}
