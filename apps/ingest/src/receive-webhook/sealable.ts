import { canonicalText } from '@centralita/keyring';

/** An element as canonical JSON, made once: what is sealed, what its id is made from, and how long it is all come from here. */
export type Sealable = {
  readonly item: string;
  /** What the event id is made from: the element alone. */
  readonly identity: string;
  /** The element's own JSON text, itself as JSON; only where canonical JSON had to change it. */
  readonly raw?: string;
};

const LONE_SURROGATE = /\\(?:u(d[89a-f][0-9a-f]{2})|.)/g;

/**
 * A text that was cut in the middle of an emoji holds half a surrogate pair, which canonical JSON refuses; a number may be too big to be one.
 * Such an element is kept twice: as its JSON text, and with U+FFFD in place of the halves, so that it can still be read.
 */
export const sealable = (element: unknown): Sealable => {
  try {
    const text = canonicalText(element);
    return { item: text, identity: text };
  } catch {
    // JSON.stringify writes lone surrogates as escapes and everything else of that range in clear.
    const raw = JSON.stringify(element);
    const repaired = raw.replace(LONE_SURROGATE, (escape, surrogate: string | undefined) =>
      surrogate === undefined ? escape : '\\ufffd',
    );
    const item = canonicalText(JSON.parse(repaired));
    return { item, identity: canonicalText({ raw }), raw: canonicalText(raw) };
  }
};
