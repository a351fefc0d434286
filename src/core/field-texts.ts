import { openText, sealText } from "./crypto.ts";
import { type Encryption, parseSealed, sealedPrefix } from "./encryption.ts";
import { newHandle } from "./session-id.ts";

/** Between a field's text as the codec writes it and the one in the store: the same, unless fields are encrypted. */
export interface FieldTexts {
  /** Before what was recorded is put together. */
  begin(): void;
  /** The codec's text; `null` when the stored one is not to be trusted. Throws where it is a newer version's. */
  open(field: string, stored: string): string | null;
  /** The text for the store. */
  seal(field: string, text: string): string;
  /** Whether the store has that text already, in the form that it would be written in now. */
  holds(field: string, stored: string | null, text: string): boolean;
}

const PLAIN_TEXTS: FieldTexts = {
  begin: () => undefined,
  open: (_, stored) => stored,
  seal: (_, text) => text,
  holds: (_, stored, text) => stored === text,
};

/** The texts of the session that a recorder is of. */
export function fieldTexts(encryption: Encryption | null, record: SealedRecord): FieldTexts {
  return encryption === null ? PLAIN_TEXTS : new SealedTexts(encryption, record);
}

/** What binds a record's texts: its handle stays when its key changes. */
export interface SealedRecord {
  handle: string;
  readonly saved: boolean;
}

/** The texts of one session's fields, opened one by one and sealed as they are written. */
class SealedTexts implements FieldTexts {
  readonly #encryption: Encryption;
  readonly #record: SealedRecord;
  /** The handle that the two maps are of. */
  #handle = "";
  readonly #keys = new Map<string, Uint8Array | null>();
  /** The last pair of each field: most texts are looked at again at the commit. */
  readonly #known = new Map<string, { readonly stored: string; readonly text: string }>();

  constructor(encryption: Encryption, record: SealedRecord) {
    this.#encryption = encryption;
    this.#record = record;
  }

  begin(): void {
    // Another one for each attempt: an unanswered `create` may have made a record with the last one.
    if (!this.#record.saved) this.#record.handle = newHandle();
  }

  open(field: string, stored: string): string | null {
    this.#follow();
    const known = this.#known.get(field);
    if (known?.stored === stored) return known.text;
    const text = this.#opened(field, stored);
    if (text !== null) this.#known.set(field, { stored, text });
    return text;
  }

  seal(field: string, text: string): string {
    this.#follow();
    const { keyId } = this.#encryption;
    const prefix = sealedPrefix(keyId);
    const stored = prefix + sealText(this.#key(keyId) as Uint8Array, prefix + field, text);
    this.#known.set(field, { stored, text });
    return stored;
  }

  /** A text sealed by an older key, or by none, is to be written anew. */
  holds(field: string, stored: string | null, text: string): boolean {
    return (
      stored !== null && stored.startsWith(sealedPrefix(this.#encryption.keyId)) && this.open(field, stored) === text
    );
  }

  #opened(field: string, stored: string): string | null {
    const sealed = parseSealed(stored);
    if (sealed === null) return this.#encryption.acceptPlaintext ? stored : null;
    const key = this.#key(sealed.keyId);
    return key && openText(key, sealedPrefix(sealed.keyId) + field, sealed.body);
  }

  #key(keyId: string): Uint8Array | null {
    let key = this.#keys.get(keyId);
    if (key === undefined) this.#keys.set(keyId, (key = this.#encryption.recordKey(keyId, this.#handle)));
    return key;
  }

  /** A request may come to another record: by a logout, or when what it saw had ended. */
  #follow(): void {
    if (this.#handle === this.#record.handle) return;
    this.#handle = this.#record.handle;
    this.#keys.clear();
    this.#known.clear();
  }
}
