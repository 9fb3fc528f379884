import type { Tx } from '@centralita/event-store';

/**
 * Takes the locks of these subjects until the transaction ends, sorted, before anything about them is read. With it a batch, a reply
 * and an assignment of one customer never decide on what another of them is just changing, and nobody meets a version conflict.
 * Gives the contact of each subject that has one.
 */
export const lockSubjects = async (tx: Tx, subjectIds: readonly string[]): Promise<Map<string, string>> => {
  const wanted = [...new Set(subjectIds)].sort();
  await tx.execute(
    `insert into subject (tenant_id, subject_id) select $1, s from unnest($2::uuid[]) as s order by s on conflict do nothing`,
    [tx.tenantId, wanted],
  );
  // A statement of its own: its snapshot holds what was committed while the insert waited.
  const rows = await tx.query<{ subject_id: string; contact_id: string | null }>(
    `select subject_id, contact_id from subject where tenant_id = $1 and subject_id = any ($2::uuid[]) order by subject_id for update`,
    [tx.tenantId, wanted],
  );
  return new Map(rows.flatMap(({ subject_id, contact_id }) => (contact_id === null ? [] : [[subject_id, contact_id] as const])));
};
