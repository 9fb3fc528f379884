/** Bits of the filter; a log of ten million messages fills a tenth of it. */
const BITS = 2 ** 27;

/**
 * Messages of which a replay may have written something. It errs on one side only: of a message that it calls new, nothing is stored;
 * one of many that it calls known may be new, and is looked for in vain. Message references are keyed hashes, so their beginning is as
 * good as any hash of them.
 */
export class SeenMessages {
  readonly #bits = new Uint8Array(BITS / 8);

  add(messageRef: string): void {
    const place = placeOf(messageRef);
    this.#bits[place >>> 3] = (this.#bits[place >>> 3] ?? 0) | (1 << (place & 7));
  }

  mayHave(messageRef: string): boolean {
    const place = placeOf(messageRef);
    return ((this.#bits[place >>> 3] ?? 0) & (1 << (place & 7))) !== 0;
  }
}

/** Six characters of base64url are four bytes and a rest. */
const placeOf = (messageRef: string): number => Buffer.from(messageRef.slice(0, 6), 'base64url').readUInt32BE(0) % BITS;
