import { Leaf, PlatformError, type AccessRow, type CheckpointView } from '@centralita/contracts';
import type { z } from 'zod';
import { toHex, originOf } from '@centralita/domain-ledger';
import { toBigInt, type Tx } from '@centralita/event-store';

export type StoredLeaf = { leaf_index: string; leaf_hash: Buffer; leaf_text: string; sequenced_at: Date };
export const leafColumns = 'leaf_index, leaf_hash, leaf_text, sequenced_at';

export const accessRow = (row: StoredLeaf): z.input<typeof AccessRow> => ({
  leafIndex: row.leaf_index,
  leafHash: toHex(row.leaf_hash),
  sequencedAt: row.sequenced_at.toISOString(),
  leaf: Leaf.parse(JSON.parse(row.leaf_text)),
});

/** Unknown ids and other tenants' ids are the same: row-level security does not even show the latter. */
export const nothingHere = (): PlatformError => new PlatformError('NOT_FOUND', 'there is nothing here');

export const readLeaf = async (tx: Tx, index: string): Promise<StoredLeaf> => {
  const [row] = await tx.query<StoredLeaf>(`select ${leafColumns} from leaf where tenant_id = $1 and leaf_index = $2`, [
    tx.tenantId,
    index,
  ]);
  if (!row) throw nothingHere();
  return row;
};

/** Leaves [from, to) in order. */
export const readLeaves = async (tx: Tx, from: bigint, to: bigint): Promise<StoredLeaf[]> =>
  tx.query<StoredLeaf>(
    `select ${leafColumns} from leaf where tenant_id = $1 and leaf_index >= $2 and leaf_index < $3 order by leaf_index`,
    [tx.tenantId, from, to],
  );

export type StoredCheckpoint = {
  readonly size: bigint;
  readonly root: Buffer;
  readonly note: string;
  readonly publishedAt: Date;
};

/** The checkpoint of that size, or the newest. */
export const readCheckpoint = async (tx: Tx, size?: string): Promise<StoredCheckpoint> => {
  const [row] = await tx.query<{ size: string; root: Buffer; note: string; published_at: Date }>(
    `select size, root, note, published_at from checkpoint
     where tenant_id = $1 and ($2::bigint is null or size = $2) order by size desc limit 1`,
    [tx.tenantId, size ?? null],
  );
  if (!row) throw nothingHere();
  return { size: toBigInt(row.size), root: row.root, note: row.note, publishedAt: row.published_at };
};

export const checkpointView = (tenantId: string, verifierKey: string, checkpoint: StoredCheckpoint): CheckpointView => ({
  origin: originOf(tenantId),
  size: checkpoint.size.toString(),
  root: toHex(checkpoint.root),
  note: checkpoint.note,
  publishedAt: checkpoint.publishedAt.toISOString(),
  verifierKey,
});
