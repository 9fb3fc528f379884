import { rootAt, toHex, originOf } from '@centralita/domain-ledger';
import { toBigInt, type EventStore, type Tx } from '@centralita/event-store';
import { checkpointStreamOf, logIdOf } from '../log-identity.js';
import { sha256, type Signer } from '../signing/signer.js';
import { nodesOf } from './tree-store.js';

export type CheckpointOptions = {
  readonly store: EventStore;
  readonly signer: Signer;
  readonly holder: string;
  readonly leaseMs: number;
  readonly clock: () => Date;
  /** Sign now, whatever the interval says. */
  readonly final?: boolean;
  readonly intervalMs: number;
  readonly leaves: number;
};

/** Leaves whose order is on the log: the relay has moved the head past them. Only these may be promised to anybody. */
export const publishedLeaves = async (tx: Tx): Promise<bigint> => {
  const [row] = await tx.query<{ published_version: string }>(
    `select published_version from key_head where tenant_id = $1 and topic = 'audit.sequenced.v1' and key = $2`,
    [tx.tenantId, logIdOf(tx.tenantId)],
  );
  return row ? toBigInt(row.published_version) : 0n;
};

export const lastCheckpoint = async (tx: Tx): Promise<{ size: bigint; at: Date } | null> => {
  const [row] = await tx.query<{ size: string; published_at: Date }>(
    `select size, published_at from checkpoint where tenant_id = $1 order by size desc limit 1`,
    [tx.tenantId],
  );
  return row ? { size: toBigInt(row.size), at: row.published_at } : null;
};

/**
 * Signs the tree of what is published, when it is time. The lease's row lock makes sure that only one process signs for a log, and
 * sizes only grow: two checkpoints of this log are always consistent. Returns the size that was signed.
 */
export const publishCheckpoint = async (tx: Tx, options: CheckpointOptions): Promise<bigint | null> => {
  const { store, signer, clock } = options;
  const covered = await publishedLeaves(tx);
  const last = await lastCheckpoint(tx);
  const fresh = covered - (last?.size ?? 0n);
  const now = clock();
  const dueAt = last ? last.at.getTime() + options.intervalMs : 0;
  if (fresh <= 0n || (!options.final && fresh < BigInt(options.leaves) && now.getTime() < dueAt)) return null;
  const logId = logIdOf(tx.tenantId);
  if (!(await store.leaseDomain(tx, logId, options.holder, options.leaseMs))) return null;
  // Read again under the lock: another process may have signed in between.
  const latest = await lastCheckpoint(tx);
  if (latest && latest.size >= covered) return null;
  const root = await rootAt(sha256, nodesOf(tx), covered);
  const note = signer.signCheckpoint(tx.tenantId, covered, root);
  await tx.execute(`insert into checkpoint (tenant_id, size, root, note, published_at) values ($1, $2, $3, $4, $5)`, [
    tx.tenantId,
    covered,
    Buffer.from(root),
    note,
    now,
  ]);
  await store.append(tx, 'audit.checkpoints.v1', [
    {
      key: logId,
      streamId: checkpointStreamOf(logId),
      expectedVersion: 'any',
      type: 'audit.checkpoint.published.v1',
      time: now,
      data: {
        logId,
        origin: originOf(tx.tenantId),
        size: covered.toString(),
        root: toHex(root),
        note,
        publishedAt: now.toISOString(),
      },
    },
  ]);
  return covered;
};
