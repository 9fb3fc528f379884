import { FOLD_VERSION, stateText } from '@centralita/domain-billing';
import { rootOf, toHex } from '@centralita/domain-ledger';
import { leafHashes, readLeaves, type EventLog, type OffsetRange, type PartitionLeaves } from '@centralita/event-log';
import type { Tx } from '@centralita/event-store';
import { createHash, hash } from 'node:crypto';
import { readStates } from '../fold-usage/fold.js';
import { readCards } from '../statements/read.js';

export type StateDigest = { readonly stateDigest: string; readonly rows: number; readonly foldVersion: string };

/** Digest S: the canonical text of all rows of the fold. */
export const stateDigest = async (tx: Tx): Promise<StateDigest> => {
  const [states, cards] = [await readStates(tx), await readCards(tx)];
  const digest = createHash('sha256');
  for (const line of stateText(states, cards)) digest.update(line);
  return { stateDigest: digest.digest('hex'), rows: states.length + cards.length, foldVersion: FOLD_VERSION };
};

/** Topics that the fold reads. */
export const inputTopics = ['billing.events.v1', 'wa.inbound.v1'] as const;

/** Digest L: a root over the stored bytes of every record of the ranges, partition by partition. */
export const logDigest = async (log: Pick<EventLog, 'read'>, ranges: readonly OffsetRange[]): Promise<string> =>
  digestOfLeaves(await readLeaves(log, ranges));

/** The same over leaves that were gathered in passing. */
export const digestOfLeaves = (leaves: readonly PartitionLeaves[]): string => {
  const digest = createHash('sha256');
  for (const { topic, partition, from, to, hashes } of leaves)
    digest.update(`${topic}/${partition}/${from}/${to}/${toHex(rootOf(sha256, leafHashes({ hashes })))}\n`);
  return digest.digest('hex');
};

const sha256 = (bytes: Uint8Array): Uint8Array => hash('sha256', bytes, 'buffer');
