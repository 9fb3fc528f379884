import type { KeyObject } from 'node:crypto';
import { stringify as uuidOf } from 'uuid';
import { canonicalBytes, canonicalText, hmac } from './crypto.js';

export const IdentityKinds = ['bsuid', 'parent_bsuid', 'phone', 'group'] as const;
/** What an identifier is, by its pattern. A user name is no identity: it changes hands. */
export type IdentityKind = (typeof IdentityKinds)[number];

/** Keyed references of one tenant. The key is never rotated (rotation re-wraps it), so a reference means the same for ever. */
export type References = {
  /** What stands for a wamid outside ciphertext: base64url of 16 bytes. */
  readonly messageRef: (phoneNumberId: string, wamid: string) => string;
  /** Id of a provider fact, UUIDv8: same item same id, other content other id. `item` is the array element alone. */
  readonly eventId: (kind: string, ref: string, item: unknown) => string;
  /** The same id of an item whose canonical text was made already: one item of a thousand is written out once, not twice. */
  readonly eventIdOfText: (kind: string, ref: string, itemText: string) => string;
  /** Id of a fact of ours that is produced directly: keyed hash of kind, send or media id, attempt. */
  readonly sendEventId: (kind: string, id: string, attempt: number) => string;
  /** What stands for a participant of a group outside ciphertext. */
  readonly participantRef: (identifier: string) => string;
  /** Directory index of an identifier, as received (a phone: digits only). */
  readonly blindIndex: (kind: IdentityKind, value: string) => string;
  /** Keyed SHA-256 of bytes, hexadecimal. */
  readonly digest: (bytes: Buffer) => string;
};

/** First 16 bytes as a UUID of version 8 (RFC 9562: bits of our own making). */
const uuidV8 = (mac: Buffer): string => {
  const bytes = Uint8Array.from(mac.subarray(0, 16));
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x80;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  return uuidOf(bytes);
};

const shortRef = (mac: Buffer): string => mac.subarray(0, 16).toString('base64url');

export const referencesOf = (key: KeyObject): References => {
  const mac = (...parts: readonly unknown[]): Buffer => hmac(key, canonicalBytes(parts));
  return {
    messageRef: (phoneNumberId, wamid) => shortRef(mac('ref', phoneNumberId, wamid)),
    eventId: (kind, ref, item) => uuidV8(mac('event', kind, ref, item)),
    eventIdOfText: (kind, ref, itemText) =>
      uuidV8(hmac(key, `["event",${canonicalText(kind)},${canonicalText(ref)},${itemText}]`)),
    sendEventId: (kind, id, attempt) => uuidV8(mac('send', kind, id, attempt)),
    participantRef: (identifier) => shortRef(mac('participant', identifier)),
    blindIndex: (kind, value) => mac('blind', kind, value).toString('base64url'),
    // The prefix is no JSON, so bytes can never be taken for one of the lists above.
    digest: (bytes) => hmac(key, 'digest\0', bytes).toString('hex'),
  };
};
