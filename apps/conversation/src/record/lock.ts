import type { Tx } from '@centralita/event-store';

type Row = { readonly subject_id: string; readonly contact_id: string | null };

/**
 * Takes the locks of these subjects until the transaction ends, sorted, before anything about them is read. With it a batch, a reply
 * and an assignment of one customer never decide on what another of them is just changing, and nobody meets a version conflict.
 * Gives the contact of each subject that has one.
 */
export const lockSubjects = async (tx: Tx, subjectIds: readonly string[]): Promise<Map<string, string>> => {
  const wanted = [...new Set(subjectIds)].sort();
  let rows = await lock(tx, wanted);
  if (rows.length < wanted.length) {
    await tx.execute(
      `insert into subject (tenant_id, subject_id) select $1, s from unnest($2::uuid[]) as s order by s on conflict do nothing`,
      [tx.tenantId, wanted],
    );
    // A statement of its own: its snapshot holds what was committed while the insert waited.
    rows = await lock(tx, wanted);
  }
  return new Map(rows.flatMap(({ subject_id, contact_id }) => (contact_id === null ? [] : [[subject_id, contact_id] as const])));
};

const lock = (tx: Tx, subjectIds: readonly string[]): Promise<Row[]> =>
  tx.query(
    `select subject_id, contact_id from subject where tenant_id = $1 and subject_id = any ($2::uuid[]) order by subject_id for update`,
    [tx.tenantId, subjectIds],
  );
