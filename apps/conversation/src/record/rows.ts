import type { Part, Tx } from '@centralita/event-store';

type Row = Readonly<Record<string, unknown>>;

/** Rows as the driver gives them, with instants in the form of the contracts. */
export const readRows = async <Result extends object>(tx: Tx, sql: string, parameters: readonly unknown[]): Promise<Result[]> =>
  (await tx.query(sql, parameters)).map(
    (row) =>
      Object.fromEntries(
        Object.entries(row).map(([name, value]) => [name, value instanceof Date ? value.toISOString() : value]),
      ) as Result,
  );

/** Whole rows of a projection: inserted, or replaced where the key is there already. */
export const replaceRows = (table: string, key: readonly string[], rows: readonly Row[]): Part[] =>
  rowsInto(table, rows, (columns) => {
    const changed = columns.filter((column) => !key.includes(column)).map((column) => `${column} = excluded.${column}`);
    return `order by ${key.join(', ')} on conflict (tenant_id, ${key.join(', ')}) do update set ${changed.join(', ')}`;
  });

/** Rows that may be there already; then they stay as they are. */
export const addRows = (table: string, rows: readonly Row[]): Part[] => rowsInto(table, rows, () => 'on conflict do nothing');

const rowsInto = (table: string, rows: readonly Row[], end: (columns: readonly string[]) => string): Part[] => {
  const [first] = rows;
  if (!first) return [];
  const columns = Object.keys(first);
  return [
    {
      sql: `insert into ${table} (tenant_id, ${columns.join(', ')})
        select $1, ${columns.join(', ')} from jsonb_populate_recordset(null::${table}, $2::jsonb) ${end(columns)}`,
      values: [JSON.stringify(rows)],
    },
  ];
};
