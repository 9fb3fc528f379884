import { malformed } from './malformed.js';

/** The one hash function of the ledger, passed in so that the same code runs in Node and in a browser. It must be SHA-256. */
export type Hash = (bytes: Uint8Array) => Uint8Array;

export const HASH_BYTES = 32;

export const concat = (...parts: readonly Uint8Array[]): Uint8Array => {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
};

export const equal = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && a.every((byte, position) => byte === b[position]);

const encoder = new TextEncoder();
export const utf8 = (text: string): Uint8Array => encoder.encode(text);

/** Text of bytes that must be valid UTF-8; a byte order mark stays visible, so that no byte of a file goes unchecked. */
export const fromUtf8 = (bytes: Uint8Array, what = 'text'): string => {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return malformed(what, 'not valid UTF-8');
  }
};

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));
export const toHex = (bytes: Uint8Array): string => {
  let text = '';
  for (const byte of bytes) text += HEX[byte];
  return text;
};

/** Lower-case hexadecimal only: two spellings of one hash would let a file change without its meaning changing. */
export const fromHex = (text: string, what = 'hexadecimal value'): Uint8Array => {
  if (!/^([0-9a-f]{2})*$/.test(text)) return malformed(what, 'not lower-case hexadecimal');
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
};

export const toBase64 = (bytes: Uint8Array): string => {
  let binary = '';
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary);
};

/** Standard base64 (RFC 4648, 4) in its one canonical spelling: padded, no white space, unused bits zero. */
export const fromBase64 = (text: string, what = 'base64 value'): Uint8Array => {
  let binary: string;
  try {
    binary = atob(text);
  } catch {
    return malformed(what, 'not base64');
  }
  // atob forgives missing padding, white space and stray bits; the way back does not.
  if (btoa(binary) !== text) return malformed(what, 'not canonical base64');
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
};

const U64_LIMIT = 1n << 64n;

/** Unsigned 64-bit decimal without leading zeros. Sizes and indices may pass 2^53, so they are bigints everywhere. */
export const fromDecimal = (text: string, what = 'number'): bigint => {
  if (!/^(0|[1-9]\d{0,19})$/.test(text)) return malformed(what, 'not a decimal number without leading zeros');
  const value = BigInt(text);
  return value < U64_LIMIT ? value : malformed(what, 'does not fit 64 bits');
};
