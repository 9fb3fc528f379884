import type { KeyObject } from 'node:crypto';
import { PlatformError, type Sealed } from '@centralita/contracts';
import { canonicalBytes, decrypt, encrypt, encryptBehindNonce, hmac, NONCE_BYTES } from './crypto.js';

export type KeyState = 'live' | 'closing' | 'destroyed';

/** Unwrapped key of one subject. A tombstone has no keys. */
export type SubjectKey = {
  readonly state: KeyState;
  readonly keyId: string;
  readonly keys: { readonly enc: KeyObject; readonly nonce: KeyObject; readonly commit: KeyObject } | null;
  /** Monotonic milliseconds until which this copy may be trusted. */
  readonly leasedUntil: number;
};

export type Opened = { readonly state: 'open'; readonly value: unknown } | { readonly state: 'erased' };
export type OpenedBytes = { readonly state: 'open'; readonly bytes: Buffer } | { readonly state: 'erased' };

/** What a caller gives to be sealed; `id` is the event that first holds the envelope. */
export type Plain = { readonly id: string; readonly subject: string; readonly schema: string } & (
  | { readonly plaintext: unknown }
  /** The plaintext's RFC 8785 text, where the caller has made it already. */
  | { readonly canonical: string }
);

/**
 * Keys of the subjects that were asked for, read in one query; everything from here on is synchronous. Do not keep it: right before
 * an append the keyring's `checkAlive` must be asked again.
 */
export class SubjectKeys {
  constructor(
    private readonly tenantId: string,
    private readonly subjects: ReadonlyMap<string, SubjectKey>,
    /** Told before KEY_UNAVAILABLE is thrown: a key was needed that is not there. */
    private readonly onUnavailable: () => void = () => undefined,
  ) {}

  /** Same fact, same bytes: the nonce is a keyed hash of place and content, so it repeats only when both do. */
  seal(plain: Plain): Sealed {
    const { id, subject, schema } = plain;
    const { keyId, keys } = this.#writable(subject);
    const associated = this.#associated(subject, id, schema);
    const bytes = 'canonical' in plain ? Buffer.from(plain.canonical, 'utf8') : canonicalBytes(plain.plaintext);
    const nonce = hmac(keys.nonce, associated, '|', bytes).subarray(0, NONCE_BYTES);
    const ct = encrypt(keys.enc, nonce, associated, bytes);
    return { id, subject, schema, kid: keyId, nonce: nonce.toString('base64url'), ct: ct.toString('base64') };
  }

  /**
   * `erased` only where a tombstone stands. A key that is merely not there is KEY_UNAVAILABLE (retryable): a lost keyring must never
   * look like an erasure.
   */
  open(sealed: Sealed): Opened {
    const found = this.#find(sealed.subject);
    if (found.state === 'destroyed') return { state: 'erased' };
    const { keyId, keys } = this.#readable(sealed.subject, found);
    if (keyId !== sealed.kid)
      throw new PlatformError('DECRYPTION_FAILED', 'the envelope names another key', {
        subject: sealed.subject,
        kid: sealed.kid,
      });
    const associated = this.#associated(sealed.subject, sealed.id, sealed.schema);
    const bytes = decrypt(keys.enc, Buffer.from(sealed.nonce, 'base64url'), associated, Buffer.from(sealed.ct, 'base64'));
    return { state: 'open', value: JSON.parse(bytes.toString('utf8')) as unknown };
  }

  /** For bytes that live outside events (media, raw payloads): nonce, ciphertext, tag. `context` names their place. */
  sealBytes(subject: string, context: string, bytes: Buffer): Buffer {
    const { keys } = this.#writable(subject);
    const associated = this.#associatedBytes(subject, context);
    const nonce = hmac(keys.nonce, associated, '|', bytes).subarray(0, NONCE_BYTES);
    return encryptBehindNonce(keys.enc, nonce, associated, bytes);
  }

  openBytes(subject: string, context: string, sealed: Buffer): OpenedBytes {
    const found = this.#find(subject);
    if (found.state === 'destroyed') return { state: 'erased' };
    const { keys } = this.#readable(subject, found);
    const associated = this.#associatedBytes(subject, context);
    return { state: 'open', bytes: decrypt(keys.enc, sealed.subarray(0, NONCE_BYTES), associated, sealed.subarray(NONCE_BYTES)) };
  }

  /** Stands for the subject in access records; nobody can link it to the subject once the key is destroyed. */
  commitment(subject: string): string {
    return this.fieldCommitment(subject, 'subj', subject);
  }

  /** Commitment to a value, for example the free text of a reason. Throws ERASED where a tombstone stands. */
  fieldCommitment(subject: string, name: string, value: string): string {
    const found = this.#find(subject);
    if (found.state === 'destroyed') throw new PlatformError('ERASED', 'the subject is erased', { subject });
    return hmac(this.#readable(subject, found).keys.commit, `${name}\0${value}`).toString('base64url');
  }

  state(subject: string): KeyState {
    return this.#find(subject).state;
  }

  #find(subject: string): SubjectKey {
    const found = this.subjects.get(subject);
    if (!found) throw this.#unavailable('no key and no tombstone for this subject', subject);
    return found;
  }

  #readable(subject: string, found: SubjectKey): { keyId: string; keys: NonNullable<SubjectKey['keys']> } {
    if (!found.keys) throw this.#unavailable('the subject is closing and never had a key', subject);
    return { keyId: found.keyId, keys: found.keys };
  }

  #unavailable(message: string, subject: string): PlatformError {
    this.onUnavailable();
    return new PlatformError('KEY_UNAVAILABLE', message, { subject });
  }

  #writable(subject: string): { keyId: string; keys: NonNullable<SubjectKey['keys']> } {
    const found = this.#find(subject);
    if (found.state !== 'live')
      throw new PlatformError('SUBJECT_CLOSING', 'nothing new is sealed under this subject', { subject, state: found.state });
    return this.#readable(subject, found);
  }

  #associated(subject: string, id: string, schema: string): Buffer {
    // The separator may not occur inside a part, or two places could share their associated data.
    if (schema.includes('|')) throw new TypeError('a schema name holds no "|"');
    return Buffer.from(`${this.tenantId}|${subject}|${id}|${schema}`);
  }

  #associatedBytes(subject: string, context: string): Buffer {
    return Buffer.from(`${this.tenantId}|${subject}|bytes|${context}`);
  }
}
