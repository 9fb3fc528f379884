import type { Tx } from '@centralita/event-store';

type Row = Readonly<Record<string, unknown>>;

/** Rows as the driver gives them, with instants in the form of the contracts. */
export const readRows = async <Result extends object>(tx: Tx, sql: string, parameters: readonly unknown[]): Promise<Result[]> =>
  (await tx.query(sql, parameters)).map(
    (row) =>
      Object.fromEntries(
        Object.entries(row).map(([name, value]) => [name, value instanceof Date ? value.toISOString() : value]),
      ) as Result,
  );

/** Rows for one table: with a key they replace what is there under it, without one they are only added. */
export type Write = { readonly table: string; readonly key: readonly string[] | null; readonly rows: readonly Row[] };

/** Whole rows of a projection: inserted, or replaced where the key is there already. */
export const replaceRows = (table: string, key: readonly string[], rows: readonly Row[]): Write => ({ table, key, rows });
/** Rows that may be there already; then they stay as they are. */
export const addRows = (table: string, rows: readonly Row[]): Write => ({ table, key: null, rows });

const insertOf = ({ table, key, rows: [first = {}] }: Write, parameter: number): string => {
  const columns = Object.keys(first);
  const changed = columns.filter((column) => !key?.includes(column)).map((column) => `${column} = excluded.${column}`);
  return `insert into ${table} (tenant_id, ${columns.join(', ')})
    select $1, ${columns.join(', ')} from jsonb_populate_recordset(null::${table}, $${String(parameter)}::jsonb)
    ${key ? `order by ${key.join(', ')}` : ''}
    on conflict ${key ? `(tenant_id, ${key.join(', ')}) do update set ${changed.join(', ')}` : 'do nothing'}`;
};

/** Writes into several tables in one statement, each table at most once. What is empty is left out. */
export const write = async (tx: Tx, writes: readonly Write[]): Promise<void> => {
  const wanted = writes.filter(({ rows }) => rows.length > 0);
  const inserts = wanted.map((one, index) => insertOf(one, index + 2));
  const last = inserts.pop();
  if (last === undefined) return;
  const others = inserts.map((insert, index) => `w${String(index)} as (${insert})`);
  await tx.execute(`${others.length > 0 ? `with ${others.join(', ')} ` : ''}${last}`, [
    tx.tenantId,
    ...wanted.map(({ rows }) => JSON.stringify(rows)),
  ]);
};
