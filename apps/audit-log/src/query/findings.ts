import { AuditFindingKinds, type AuditFinding, type AuditFindingPage, type AuditFindingQuery } from '@centralita/contracts';
import type { Tx } from '@centralita/event-store';
import type { z } from 'zod';
import { decodeCursor, encodeCursor } from './cursor.js';

type FindingRow = {
  kind: AuditFinding['kind'];
  lane: string;
  number_from: string;
  number_to: string;
  leaf_index: string;
  found_at: Date;
};

/** A leaf has at most one finding of a kind, so that its index and the kind are a place in the list. */
const PLACE = new RegExp(`^(\\d{1,18}):(${AuditFindingKinds.join('|')})$`);

/** Findings of the tenant's log, those of the newest leaves first. */
export const findingPage = async (
  tx: Tx,
  { cursor, kind, limit }: z.output<typeof AuditFindingQuery>,
): Promise<z.infer<typeof AuditFindingPage>> => {
  const [, leaf, last] = cursor === undefined ? [] : decodeCursor(cursor, PLACE);
  const rows = await tx.query<FindingRow>(
    `select kind, lane, number_from, number_to, leaf_index, found_at from finding
     where tenant_id = $1 and ($2::bigint is null or (leaf_index, kind) < ($2, $3)) and ($4::text is null or kind = $4)
     order by leaf_index desc, kind desc limit $5`,
    [tx.tenantId, leaf ?? null, last ?? null, kind ?? null, limit + 1],
  );
  const shown = rows.slice(0, limit);
  const end = shown.at(-1);
  return {
    items: shown.map((row) => ({
      kind: row.kind,
      sourceLane: row.lane,
      numberFrom: row.number_from,
      numberTo: row.number_to,
      leafIndex: row.leaf_index,
      foundAt: row.found_at.toISOString(),
    })),
    nextCursor: rows.length > limit && end ? encodeCursor(`${end.leaf_index}:${end.kind}`) : null,
  };
};
