import { concat, equal, fromBase64, fromHex, HASH_BYTES, toBase64, toHex, utf8, type Hash } from './bytes.js';
import { malformed } from './malformed.js';

/** Checks an Ed25519 signature (RFC 8032). Passed in: node:crypto on a server, a library in the browser. */
export type VerifySignature = (publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array) => boolean | Promise<boolean>;

/** Key of a note's signer. Its id binds name, algorithm and key, so a key cannot be passed off under another name. */
export type VerifierKey = { readonly name: string; readonly keyId: string; readonly publicKey: Uint8Array };

export type NoteSignature = { readonly name: string; readonly keyId: string; readonly signature: Uint8Array };
/** C2SP signed note: text that ends in a newline, and who signed it. `keyId` is eight hexadecimal digits. */
export type SignedNote = { readonly text: string; readonly signatures: readonly NoteSignature[] };

const ED25519 = 0x01;
const KEY_ID_BYTES = 4;
const SIGNATURE_BYTES = 64;
/** Specification: at least 16 must be accepted, and there should be a limit. */
const MOST_SIGNATURES = 64;
const CONTROL = /[\u0000-\u0009\u000b-\u001f]/;
const KEY_NAME = /^[^\s+\u0085]+$/u;

const keyIdOf = (hash: Hash, name: string, publicKey: Uint8Array): string =>
  toHex(hash(concat(utf8(name), Uint8Array.of(0x0a, ED25519), publicKey)).subarray(0, KEY_ID_BYTES));

export const verifierKey = (hash: Hash, name: string, publicKey: Uint8Array): VerifierKey => {
  if (!KEY_NAME.test(name) || CONTROL.test(name)) return malformed('verifier key', 'name is empty or holds a space or plus');
  if (publicKey.length !== HASH_BYTES) return malformed('verifier key', 'an Ed25519 public key has 32 bytes');
  return { name, keyId: keyIdOf(hash, name, publicKey), publicKey };
};

/** The `vkey` text: `name+keyid+base64(type || key)`. */
export const formatVerifierKey = (key: VerifierKey): string =>
  `${key.name}+${key.keyId}+${toBase64(concat(Uint8Array.of(ED25519), key.publicKey))}`;

export const parseVerifierKey = (hash: Hash, text: string): VerifierKey => {
  // The base64 part may hold a plus; a name and an id cannot.
  const [, name, keyId, encoded] = /^([^+]*)\+([0-9a-f]{8})\+(.+)$/s.exec(text) ?? [];
  if (!name || !keyId || !encoded) return malformed('verifier key', 'not of the form name+id+key');
  const typed = fromBase64(encoded, 'verifier key');
  if (typed[0] !== ED25519) return malformed('verifier key', 'not an Ed25519 key');
  const key = verifierKey(hash, name, typed.subarray(1));
  return key.keyId === keyId ? key : malformed('verifier key', 'the id does not belong to the name and key');
};

const SIGNATURE_LINE = /^\u2014 ([^ ]+) ([^ ]+)$/u;

const parseSignature = (line: string): NoteSignature => {
  const [, name, encoded] = SIGNATURE_LINE.exec(line) ?? [];
  if (!name || !encoded || !KEY_NAME.test(name)) return malformed('signed note', 'a line after the text is not a signature');
  const bytes = fromBase64(encoded, 'signed note');
  if (bytes.length <= KEY_ID_BYTES) return malformed('signed note', 'a signature is too short');
  return { name, keyId: toHex(bytes.subarray(0, KEY_ID_BYTES)), signature: bytes.subarray(KEY_ID_BYTES) };
};

/** Reads a note strictly. Throws RECORD_INVALID; says nothing about who signed it (see verifyNote). */
export const parseNote = (text: string): SignedNote => {
  if (CONTROL.test(text)) return malformed('signed note', 'holds a control character');
  if (!text.isWellFormed()) return malformed('signed note', 'not valid UTF-8');
  const blank = text.lastIndexOf('\n\n');
  if (blank < 0 || !text.endsWith('\n')) return malformed('signed note', 'no blank line before signatures');
  const lines = text.slice(blank + 2, -1).split('\n');
  if (lines.length > MOST_SIGNATURES) return malformed('signed note', 'too many signatures');
  return { text: text.slice(0, blank + 1), signatures: lines.map(parseSignature) };
};

export const formatNote = (note: SignedNote): string =>
  `${note.text}\n${note.signatures
    .map(({ name, keyId, signature }) => `\u2014 ${name} ${toBase64(concat(fromHex(keyId), signature))}\n`)
    .join('')}`;

/** Signs text that ends in a newline; `sign` is Ed25519 over exactly these bytes. */
export const signNote = (text: string, key: VerifierKey, sign: (message: Uint8Array) => Uint8Array): string =>
  formatNote({ text, signatures: [{ name: key.name, keyId: key.keyId, signature: sign(utf8(text)) }] });

/** `tampered`: a key that we know did not sign this text. `unknown_key`: nobody we know signed it, so its text means nothing. */
export type NoteVerdict =
  | { readonly state: 'verified'; readonly keys: readonly VerifierKey[] }
  | { readonly state: 'tampered'; readonly key: VerifierKey }
  | { readonly state: 'unknown_key'; readonly signers: readonly string[] };

/** Signatures of unknown keys are ignored, as the format demands; one wrong signature of a known key refuses the whole note. */
export const verifyNote = async (
  note: SignedNote,
  keys: readonly VerifierKey[],
  verify: VerifySignature,
): Promise<NoteVerdict> => {
  const verified: VerifierKey[] = [];
  for (const { name, keyId, signature } of note.signatures) {
    const key = keys.find((candidate) => candidate.name === name && candidate.keyId === keyId);
    if (!key) continue;
    if (signature.length !== SIGNATURE_BYTES || !(await verify(key.publicKey, utf8(note.text), signature)))
      return { state: 'tampered', key };
    if (!verified.some((known) => equal(known.publicKey, key.publicKey))) verified.push(key);
  }
  return verified.length > 0
    ? { state: 'verified', keys: verified }
    : { state: 'unknown_key', signers: note.signatures.map(({ name, keyId }) => `${name}+${keyId}`) };
};
