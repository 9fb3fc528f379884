import { isPlatformError } from '@centralita/contracts';
import { openCheckpoint, type Checkpoint } from '../checkpoint.js';
import type { Hash } from '../bytes.js';
import type { VerifierKey, VerifySignature } from '../note.js';
import { finding, grouped, type Finding } from './finding.js';

/** What a verifier brings along. Without keys everything is checked except who signed, and the verdict is `unknown_key`. */
export type Trust = {
  readonly hash: Hash;
  readonly verify: VerifySignature;
  readonly keys: readonly VerifierKey[];
};

/** Runs a strict reader; what it refuses becomes a finding under that name instead of an exception. */
export const attempt = <Value>(
  findings: Finding[],
  name: string,
  read: () => Value,
  record: { leafIndex?: bigint; recordId?: string | null } = {},
): Value | null => {
  try {
    return read();
  } catch (error) {
    if (!isPlatformError(error, 'RECORD_INVALID')) throw error;
    findings.push(finding('malformed', `${name} MALFORMED: ${error.message}`, record));
    return null;
  }
};

export type SignedHead = {
  readonly checkpoint: Checkpoint;
  /** Ids of the trusted keys that signed. */
  readonly signedBy: readonly string[];
};

/** Opens a checkpoint note and records what is wrong with it. Null when its text must not be used. */
export const openHead = async (findings: Finding[], name: string, note: string, trust: Trust): Promise<SignedHead | null> => {
  let opened;
  try {
    opened = await openCheckpoint(note, trust.keys, trust.verify);
  } catch (error) {
    if (!isPlatformError(error, 'RECORD_INVALID')) throw error;
    findings.push(finding('malformed', `${name} MALFORMED: ${error.message}`));
    return null;
  }
  const { checkpoint, verdict } = opened;
  const label = `${name} ${checkpoint.origin} size ${grouped(checkpoint.size)}`;
  switch (verdict.state) {
    case 'tampered':
      findings.push(finding('tampered', `${label} INVALID: signature of key ${verdict.key.keyId} doesn't match`));
      return null;
    case 'unknown_key':
      findings.push(finding('unknown_key', `${label} UNKNOWN KEY: signed by ${verdict.signers.join(', ')}`));
      return { checkpoint, signedBy: [] };
    case 'verified':
      return { checkpoint, signedBy: verdict.keys.map((key) => key.keyId) };
    default:
      return verdict satisfies never;
  }
};
