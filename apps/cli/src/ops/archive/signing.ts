import { createPrivateKey, createPublicKey, sign, type KeyObject } from 'node:crypto';
import { PlatformError } from '@centralita/contracts';
import { formatVerifierKey, parseVerifierKey, signNote, verifierKey, type VerifierKey } from '@centralita/domain-ledger';
import { sha256 } from '../../verify/crypto.js';

/** Name in the signature lines of manifests: a key of the ledger cannot be passed off as one of the archive. */
export const ARCHIVE_SIGNER = 'centralita-archive';

/** Length of the DER head of an Ed25519 public key; the 32 bytes of the key follow. */
const SPKI_HEAD = 12;

/** Signs manifests; the private key is a PEM file that only the job of the archive is given. */
export class ArchiveSigner {
  readonly key: VerifierKey;
  readonly #private: KeyObject;

  /** Throws CONFIGURATION_INVALID when it is no Ed25519 key. */
  constructor(pem: string | Uint8Array) {
    try {
      this.#private = createPrivateKey(Buffer.from(pem));
    } catch (cause) {
      throw new PlatformError('CONFIGURATION_INVALID', 'ARCHIVE_SIGNING_KEY_FILE holds no private key in PEM', {}, { cause });
    }
    if (this.#private.asymmetricKeyType !== 'ed25519')
      throw new PlatformError('CONFIGURATION_INVALID', 'ARCHIVE_SIGNING_KEY_FILE holds no Ed25519 key');
    const spki = createPublicKey(this.#private).export({ format: 'der', type: 'spki' });
    this.key = verifierKey(sha256, ARCHIVE_SIGNER, spki.subarray(SPKI_HEAD));
  }

  /** The text that whoever verifies or restores keeps, away from the archive. */
  get verifier(): string {
    return formatVerifierKey(this.key);
  }

  sign(text: string): string {
    return signNote(text, this.key, (message) => sign(null, message, this.#private));
  }
}

/** Keys that are trusted, as one text with spaces or lines between them. Throws RECORD_INVALID. */
export const trustedKeys = (text: string): VerifierKey[] =>
  text
    .split(/\s+/)
    .filter((word) => word !== '')
    .map((word) => parseVerifierKey(sha256, word))
    .filter(({ name }) => name === ARCHIVE_SIGNER);
