import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
  hash,
  hkdfSync,
  randomBytes,
  type KeyObject,
} from 'node:crypto';
import { PlatformError } from '@centralita/contracts';
import canonicalize from 'canonicalize';
import { plainText } from './plain-text.js';

export const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const CIPHER = 'aes-256-gcm';

/** RFC 8785 text of a JSON value. Throws on what JSON cannot carry: a lone surrogate, NaN, nothing at all. */
export const canonicalText = (value: unknown): string => {
  const text = plainText(value) ?? canonicalize(value);
  if (text === undefined) throw new TypeError('a value without a JSON form cannot be sealed');
  return text;
};

/** RFC 8785 bytes of a JSON value. Throws as `canonicalText` does. */
export const canonicalBytes = (value: unknown): Buffer => Buffer.from(canonicalText(value), 'utf8');

const BLOCK_BYTES = 64;
const DIGEST_BYTES = 32;

/** A key as HMAC (RFC 2104) mixes it in: `outer` has room for the inner digest behind its block. */
type Pads = { readonly inner: Buffer; readonly outer: Buffer };
// They go with the key that they were made from.
const padsOf = new WeakMap<KeyObject, Pads>();

const padded = (key: KeyObject): Pads => {
  const known = padsOf.get(key);
  if (known) return known;
  const secret = key.export();
  const block = secret.length > BLOCK_BYTES ? hash('sha256', secret, 'buffer') : secret;
  const pads = { inner: Buffer.alloc(BLOCK_BYTES, 0x36), outer: Buffer.alloc(BLOCK_BYTES + DIGEST_BYTES, 0x5c) };
  for (const [at, byte] of block.entries()) {
    pads.inner[at] = byte ^ 0x36;
    pads.outer[at] = byte ^ 0x5c;
  }
  padsOf.set(key, pads);
  return pads;
};

/** Where an inner message is put together. */
const scratch = Buffer.allocUnsafeSlow(16 * 1024);
/** As many bytes as a text can have in UTF-8, without counting them. */
const mostBytes = (part: string | Buffer): number => (typeof part === 'string' ? part.length * 3 : part.length);

/**
 * HMAC-SHA-256 of all parts. Of a short message it is put together from two one-shot hashes: an item needs five, and objects of Node's
 * `createHmac` cost three times as much, half of it later, when they are collected.
 */
export const hmac = (key: KeyObject, ...parts: readonly (string | Buffer)[]): Buffer => {
  if (parts.reduce((sum, part) => sum + mostBytes(part), BLOCK_BYTES) > scratch.length) {
    const mac = createHmac('sha256', key);
    for (const part of parts) mac.update(part);
    return mac.digest();
  }
  const { inner, outer } = padded(key);
  let length = inner.copy(scratch);
  for (const part of parts) length += typeof part === 'string' ? scratch.write(part, length) : part.copy(scratch, length);
  // As text of one byte a character: Node makes that faster than it makes a buffer.
  outer.write(hash('sha256', scratch.subarray(0, length), 'binary'), BLOCK_BYTES, 'latin1');
  return Buffer.from(hash('sha256', outer, 'binary'), 'latin1');
};

/** One label, one key: what encrypts never authenticates a commitment. The labels of correctness are `enc`, `nonce`, `commit`. */
export const derive = (key: KeyObject, label: string): KeyObject =>
  createSecretKey(Buffer.from(hkdfSync('sha256', key, Buffer.alloc(0), label, 32)));

/** Ciphertext with its tag behind it. */
export const encrypt = (key: KeyObject, nonce: Buffer, associated: Buffer, plaintext: Buffer): Buffer =>
  Buffer.concat(encryptedParts(key, nonce, associated, plaintext));

/** As {@link encrypt}, with the nonce before it. */
export const encryptBehindNonce = (key: KeyObject, nonce: Buffer, associated: Buffer, plaintext: Buffer): Buffer =>
  Buffer.concat([nonce, ...encryptedParts(key, nonce, associated, plaintext)]);

const encryptedParts = (key: KeyObject, nonce: Buffer, associated: Buffer, plaintext: Buffer): Buffer[] => {
  const cipher = createCipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(associated);
  return [cipher.update(plaintext), cipher.final(), cipher.getAuthTag()];
};

/** Throws DECRYPTION_FAILED when the key, the associated data or a byte is another one. */
export const decrypt = (key: KeyObject, nonce: Buffer, associated: Buffer, ciphertext: Buffer): Buffer => {
  if (nonce.length !== NONCE_BYTES || ciphertext.length < TAG_BYTES)
    throw new PlatformError('DECRYPTION_FAILED', 'the ciphertext is too short');
  const end = ciphertext.length - TAG_BYTES;
  const decipher = createDecipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES });
  decipher.setAAD(associated);
  decipher.setAuthTag(ciphertext.subarray(end));
  try {
    // In this mode all bytes come from the update: media is big, and a copy less counts.
    const plaintext = decipher.update(ciphertext.subarray(0, end));
    decipher.final();
    return plaintext;
  } catch (cause) {
    throw new PlatformError('DECRYPTION_FAILED', 'the ciphertext does not belong to this key and place', {}, { cause });
  }
};

/** A new random key, wrapped under another one and bound to its place by the associated data. */
export const newWrappedKey = (wrapping: KeyObject, place: string): Buffer => wrapKey(wrapping, place, randomBytes(32));

export const wrapKey = (wrapping: KeyObject, place: string, key: Buffer): Buffer => {
  const nonce = randomBytes(NONCE_BYTES);
  return encryptBehindNonce(wrapping, nonce, Buffer.from(place), key);
};

export const unwrapKey = (wrapping: KeyObject, place: string, wrapped: Buffer): KeyObject =>
  createSecretKey(decrypt(wrapping, wrapped.subarray(0, NONCE_BYTES), Buffer.from(place), wrapped.subarray(NONCE_BYTES)));
