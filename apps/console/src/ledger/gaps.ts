import type { AccessRow } from '@centralita/contracts';

export type Entry =
  | { readonly kind: 'record'; readonly row: AccessRow }
  | { readonly kind: 'gap'; readonly missing: number; readonly after: string; readonly before: string };

/** A person's records, newest first, with a line of its own wherever numbers are missing between two of them. */
export const withGaps = (rows: readonly AccessRow[]): Entry[] =>
  rows.flatMap((row, position): Entry[] => {
    const older = rows[position + 1];
    const entry: Entry = { kind: 'record', row };
    if (!older || row.leaf.subjectSeq === null || older.leaf.subjectSeq === null) return [entry];
    const missing = row.leaf.subjectSeq - older.leaf.subjectSeq - 1;
    return missing > 0 ? [entry, { kind: 'gap', missing, after: older.leafIndex, before: row.leafIndex }] : [entry];
  });
