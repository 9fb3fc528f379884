import { createPrivateKey, createPublicKey, hash, sign, verify, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { PlatformError } from '@centralita/contracts';
import {
  formatVerifierKey,
  signCheckpoint,
  verifierKey,
  type Hash,
  type VerifierKey,
  type VerifySignature,
  originOf,
} from '@centralita/domain-ledger';

export const sha256: Hash = (bytes) => hash('sha256', bytes, 'buffer');

/** DER head of an Ed25519 public key (SPKI); the 32 bytes of the key follow. */
const SPKI_ED25519 = Buffer.from('302a300506032b6570032100', 'hex');

export const verifyEd25519: VerifySignature = (publicKey, message, signature) =>
  verify(
    null,
    message,
    createPublicKey({ key: Buffer.concat([SPKI_ED25519, publicKey]), format: 'der', type: 'spki' }),
    signature,
  );

/** Holds the private key. One key signs the logs of all tenants, for each under the log's own name. */
export class Signer {
  readonly #key: KeyObject;
  readonly #publicKey: Uint8Array;

  constructor(pem: string | Buffer) {
    try {
      this.#key = createPrivateKey(pem);
    } catch (cause) {
      throw new PlatformError('CONFIGURATION_INVALID', 'AUDIT_SIGNING_KEY_FILE holds no private key in PEM', {}, { cause });
    }
    if (this.#key.asymmetricKeyType !== 'ed25519')
      throw new PlatformError('CONFIGURATION_INVALID', 'AUDIT_SIGNING_KEY_FILE holds no Ed25519 key');
    this.#publicKey = createPublicKey(this.#key).export({ format: 'der', type: 'spki' }).subarray(SPKI_ED25519.length);
  }

  static read(path: string): Signer {
    let pem: Buffer;
    try {
      pem = readFileSync(path);
    } catch (cause) {
      throw new PlatformError('CONFIGURATION_INVALID', 'AUDIT_SIGNING_KEY_FILE cannot be read', {}, { cause });
    }
    return new Signer(pem);
  }

  key(tenantId: string): VerifierKey {
    return verifierKey(sha256, originOf(tenantId), this.#publicKey);
  }

  /** The `vkey` text that an auditor keeps. */
  verifierKey(tenantId: string): string {
    return formatVerifierKey(this.key(tenantId));
  }

  signCheckpoint(tenantId: string, size: bigint, root: Uint8Array): string {
    return signCheckpoint({ origin: originOf(tenantId), size, root }, this.key(tenantId), (message) =>
      sign(null, message, this.#key),
    );
  }
}
