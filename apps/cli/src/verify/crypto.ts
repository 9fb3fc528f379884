import { createPublicKey, hash, verify } from 'node:crypto';
import type { Hash, VerifySignature } from '@centralita/domain-ledger';

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
