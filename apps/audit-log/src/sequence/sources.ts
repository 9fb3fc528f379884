import type { AuditFinding } from '@centralita/contracts';
import { toBigInt, type Tx } from '@centralita/event-store';
import { manifestHolds, type DueRecord } from './leaves.js';

/** Something about the sources that an auditor must see. The record stands in the log all the same. */
export type Finding = {
  readonly kind: AuditFinding['kind'];
  readonly lane: string;
  readonly from: bigint;
  readonly to: bigint;
  readonly leafIndex: bigint;
};

type Placed = { readonly due: DueRecord; readonly leafIndex: bigint };

/**
 * Compares the numbers of each lane with where it stood: every source numbers its records 1, 2, 3 …, so a number that is not there
 * is a record that was taken out before it reached us.
 */
export const checkSources = async (tx: Tx, placed: readonly Placed[]): Promise<Finding[]> => {
  const lanes = [...new Set(placed.map(({ due }) => due.lane))].sort();
  const rows = await tx.query<{ lane: string; last_number: string }>(
    `select lane, last_number from source_head where tenant_id = $1 and lane = any ($2::uuid[])`,
    [tx.tenantId, lanes],
  );
  const last = new Map(rows.map((row) => [row.lane, toBigInt(row.last_number)]));
  const findings: Finding[] = [];
  for (const { due, leafIndex } of placed) {
    const { lane, number } = due;
    const before = last.get(lane) ?? 0n;
    if (number > before + 1n) findings.push({ kind: 'source_gap', lane, from: before + 1n, to: number - 1n, leafIndex });
    // Late, after a gap: now it is here, and its leaf shows that it came late.
    if (number <= before) findings.push({ kind: 'source_repeated', lane, from: number, to: number, leafIndex });
    if (!manifestHolds(due.record)) findings.push({ kind: 'manifest_mismatch', lane, from: number, to: number, leafIndex });
    if (number > before) last.set(lane, number);
  }
  await tx.execute(
    `insert into source_head (tenant_id, lane, last_number) select $1, * from unnest($2::uuid[], $3::bigint[])
     on conflict (tenant_id, lane) do update set last_number = excluded.last_number`,
    [tx.tenantId, lanes, lanes.map((lane) => last.get(lane) ?? 0n)],
  );
  await tx.execute(
    `insert into finding (tenant_id, kind, lane, number_from, number_to, leaf_index)
     select $1, * from unnest($2::text[], $3::uuid[], $4::bigint[], $5::bigint[], $6::bigint[]) on conflict do nothing`,
    [
      tx.tenantId,
      findings.map(({ kind }) => kind),
      findings.map(({ lane }) => lane),
      findings.map(({ from }) => from),
      findings.map(({ to }) => to),
      findings.map(({ leafIndex }) => leafIndex),
    ],
  );
  return findings;
};
