import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
  hkdfSync,
  randomBytes,
  type KeyObject,
} from 'node:crypto';
import { PlatformError } from '@centralita/contracts';
import canonicalize from 'canonicalize';

export const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const CIPHER = 'aes-256-gcm';

/** RFC 8785 text of a JSON value. Throws on what JSON cannot carry: a lone surrogate, NaN, nothing at all. */
export const canonicalText = (value: unknown): string => {
  const text = canonicalize(value);
  if (text === undefined) throw new TypeError('a value without a JSON form cannot be sealed');
  return text;
};

/** RFC 8785 bytes of a JSON value. Throws as `canonicalText` does. */
export const canonicalBytes = (value: unknown): Buffer => Buffer.from(canonicalText(value), 'utf8');

export const hmac = (key: KeyObject, ...parts: readonly (string | Buffer)[]): Buffer => {
  const mac = createHmac('sha256', key);
  for (const part of parts) mac.update(part);
  return mac.digest();
};

/** One label, one key: what encrypts never authenticates a commitment. The labels of correctness are `enc`, `nonce`, `commit`. */
export const derive = (key: KeyObject, label: string): KeyObject =>
  createSecretKey(Buffer.from(hkdfSync('sha256', key, Buffer.alloc(0), label, 32)));

/** Ciphertext with its tag behind it. */
export const encrypt = (key: KeyObject, nonce: Buffer, associated: Buffer, plaintext: Buffer): Buffer => {
  const cipher = createCipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(associated);
  return Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
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
    return Buffer.concat([decipher.update(ciphertext.subarray(0, end)), decipher.final()]);
  } catch (cause) {
    throw new PlatformError('DECRYPTION_FAILED', 'the ciphertext does not belong to this key and place', {}, { cause });
  }
};

/** A new random key, wrapped under another one and bound to its place by the associated data. */
export const newWrappedKey = (wrapping: KeyObject, place: string): Buffer => wrapKey(wrapping, place, randomBytes(32));

export const wrapKey = (wrapping: KeyObject, place: string, key: Buffer): Buffer => {
  const nonce = randomBytes(NONCE_BYTES);
  return Buffer.concat([nonce, encrypt(wrapping, nonce, Buffer.from(place), key)]);
};

export const unwrapKey = (wrapping: KeyObject, place: string, wrapped: Buffer): KeyObject =>
  createSecretKey(decrypt(wrapping, wrapped.subarray(0, NONCE_BYTES), Buffer.from(place), wrapped.subarray(NONCE_BYTES)));
