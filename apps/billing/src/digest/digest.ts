import { FOLD_VERSION } from '@centralita/domain-billing';
import type { Tx } from '@centralita/event-store';
import canonicalize from 'canonicalize';
import { createHash } from 'node:crypto';

export type StateDigest = { readonly stateDigest: string; readonly rows: number; readonly foldVersion: string };

/** Digest S: all rows of the fold in the order of their primary keys, as canonical JSON. Equal folds of equal logs have equal digests. */
export const stateDigest = async (tx: Tx): Promise<StateDigest> => {
  const hash = createHash('sha256').update(`${FOLD_VERSION}\n`);
  let rows = 0;
  for (const statement of [
    `select message_ref, participant, charge_kind, subject_key, waba_id, phone_number_id, market_country, market_prefix, month, revision, outcome
     from usage where tenant_id = $1 order by message_ref collate "C", participant collate "C", charge_kind collate "C"`,
    `select card_id, body from rate_card where tenant_id = $1 order by card_id`,
  ])
    for (const row of await tx.query(statement, [tx.tenantId])) {
      hash.update(canonicalize(row) ?? '').update('\n');
      rows += 1;
    }
  return { stateDigest: hash.digest('hex'), rows, foldVersion: FOLD_VERSION };
};
