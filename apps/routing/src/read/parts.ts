import type { Tx } from '@centralita/event-store';

/** A statement that changes rows, to be made with others in one round trip. `$1` is the tenant, its own values begin at `$2`. */
export type Part = { readonly sql: string; readonly values: readonly unknown[] };

/** Makes all parts, and what `last` says, as one statement. No two parts may touch the same table: they do not see each other. */
export const write = async (tx: Tx, parts: readonly Part[], last: Part = { sql: 'select 1', values: [] }): Promise<void> => {
  if (parts.length === 0 && last.values.length === 0) return;
  const values: unknown[] = [tx.tenantId];
  const placed = [...parts, last].map((part) => {
    const before = values.length - 1;
    values.push(...part.values);
    return part.sql.replace(/\$(\d+)/g, (whole, index: string) => (index === '1' ? whole : `$${String(Number(index) + before)}`));
  });
  const final = placed.pop() as string;
  const named = placed.map((sql, index) => `part${String(index)} as (${sql})`).join(', ');
  await tx.execute(`${named === '' ? '' : `with ${named} `}${final}`, values);
};
