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

/** Writes whole rows of a projection, one statement for all: inserted, or replaced where the key is there already. */
export const writeRows = async (tx: Tx, table: string, key: readonly string[], rows: readonly Row[]): Promise<void> => {
  const [first] = rows;
  if (!first) return;
  const columns = Object.keys(first);
  const changed = columns.filter((column) => !key.includes(column));
  await tx.execute(
    `insert into ${table} (tenant_id, ${columns.join(', ')})
     select $1, ${columns.join(', ')} from jsonb_populate_recordset(null::${table}, $2::jsonb)
     order by ${key.join(', ')}
     on conflict (tenant_id, ${key.join(', ')}) do update set ${changed.map((column) => `${column} = excluded.${column}`).join(', ')}`,
    [tx.tenantId, JSON.stringify(rows)],
  );
};

/** Adds rows that are not there yet; a row that is there stays as it is. */
export const addRows = async (tx: Tx, table: string, rows: readonly Row[]): Promise<void> => {
  const [first] = rows;
  if (!first) return;
  const columns = Object.keys(first).join(', ');
  await tx.execute(
    `insert into ${table} (tenant_id, ${columns}) select $1, ${columns} from jsonb_populate_recordset(null::${table}, $2::jsonb)
     on conflict do nothing`,
    [tx.tenantId, JSON.stringify(rows)],
  );
};
