import pg from 'pg';

const ask = async (databaseUrl: string, sql: string, databases: readonly string[]): Promise<number> => {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    const { rows } = await client.query<{ figure: number }>(sql, [databases]);
    return rows[0]?.figure ?? 0;
  } finally {
    await client.end();
  }
};

/** Transactions that these databases have committed so far; what the server has not summed up yet is missing. */
export const committed = (databaseUrl: string, databases: readonly string[]): Promise<number> =>
  ask(
    databaseUrl,
    'select coalesce(sum(xact_commit), 0)::float8 as figure from pg_stat_database where datname = any($1)',
    databases,
  );

/** Bytes of the files of these databases, indexes included. */
export const sizeOf = (databaseUrl: string, databases: readonly string[]): Promise<number> =>
  ask(
    databaseUrl,
    'select coalesce(sum(pg_database_size(datname)), 0)::float8 as figure from pg_database where datname = any($1)',
    databases,
  );
