import pg from 'pg';

/** Transactions that these databases have committed so far; what the server has not summed up yet is missing. */
export const committed = async (databaseUrl: string, databases: readonly string[]): Promise<number> => {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    const sql = 'select coalesce(sum(xact_commit), 0)::float8 as commits from pg_stat_database where datname = any($1)';
    const { rows } = await client.query<{ commits: number }>(sql, [databases]);
    return rows[0]?.commits ?? 0;
  } finally {
    await client.end();
  }
};
