import type { AccessPage, AccessQuery } from '@centralita/contracts';
import type { Tx } from '@centralita/event-store';
import type { z } from 'zod';
import { decodeCursor, encodeCursor } from './cursor.js';
import { accessRow, leafColumns, type StoredLeaf } from './rows.js';

type Query = z.output<typeof AccessQuery>;
type Page = z.input<typeof AccessPage>;

/** Pages go from the newest leaf to the oldest. */
const PLACE = /^\d{1,18}$/;

/**
 * Leaves that match, newest first. Without a subject these are the records; with one, every leaf of the subject, so that its look in
 * a list counts too. `subject` is the commitment of `query.subject`, null when there is no such customer.
 */
export const searchLeaves = async (tx: Tx, query: Query, subject: string | null): Promise<Page> => {
  const asked = query.subject !== undefined;
  const rows =
    asked && subject === null
      ? []
      : await tx.query<StoredLeaf>(
          `select ${leafColumns} from leaf
           where tenant_id = $1
             and case when $2::text is null then kind <> 'subject' else subject = $2 end
             and ($3::uuid is null or actor_id = $3) and ($4::text is null or action = $4) and ($5::text is null or outcome = $5)
             and ($6::timestamptz is null or occurred_at >= $6) and ($7::timestamptz is null or occurred_at < $7)
             and ($8::bigint is null or leaf_index < $8)
           order by leaf_index desc limit $9`,
          [
            tx.tenantId,
            subject,
            query.actor ?? null,
            query.action ?? null,
            query.outcome ?? null,
            query.from ?? null,
            query.to ?? null,
            query.cursor === undefined ? null : decodeCursor(query.cursor, PLACE)[0],
            query.limit + 1,
          ],
        );
  const shown = rows.slice(0, query.limit);
  const last = shown.at(-1);
  return {
    items: shown.map(accessRow),
    nextCursor: rows.length > query.limit && last ? encodeCursor(last.leaf_index) : null,
    complete:
      subject === null ? { state: 'not_a_subject', expected: null, found: shown.length } : await completeness(tx, subject),
  };
};

/** Are the subject's numbers 1..n all there, whatever the filters show of them. The head was counted apart from the leaves. */
const completeness = async (tx: Tx, subject: string): Promise<Page['complete']> => {
  const [row] = await tx.query<{ expected: number; found: number; highest: number }>(
    `select coalesce((select last_seq from subject_head where tenant_id = $1 and subject = $2), 0) as expected,
            count(distinct subject_seq)::int as found, coalesce(max(subject_seq), 0) as highest
     from leaf where tenant_id = $1 and subject = $2`,
    [tx.tenantId, subject],
  );
  const { expected, found, highest } = row ?? { expected: 0, found: 0, highest: 0 };
  return { state: expected === found && highest === found ? 'complete' : 'gap', expected: Math.max(expected, highest), found };
};
