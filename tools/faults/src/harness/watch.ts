import { until } from '@centralita/testing-engines';
import type { StartContext } from '@centralita/tool-start';
import kafkajs from 'kafkajs';
import { Client, type QueryResultRow } from 'pg';

type DatabaseName = keyof StartContext['databases'];

/** How long a scenario waits for the platform to come to a state before it calls that a failure. */
export const PATIENCE_MS = 120_000;

/** Waits until a statement in a service's database gives a row, through outages of the server. Columns must not be null. */
export const untilRow = <Row extends QueryResultRow>(
  context: StartContext,
  database: DatabaseName,
  what: string,
  statement: string,
  values: readonly unknown[] = [],
): Promise<Row> =>
  until<Row | null>(
    async () => {
      const rows = await select<Row>(context, database, statement, values).catch(() => []);
      return rows[0] ?? null;
    },
    { timeoutMs: PATIENCE_MS, describe: what },
  );

/** Rows of a statement in a service's database, read by the superuser. */
export const select = async <Row extends QueryResultRow>(
  context: StartContext,
  database: DatabaseName,
  statement: string,
  values: readonly unknown[] = [],
): Promise<Row[]> => {
  const client = new Client({ connectionString: context.databases[database].adminUrl, connectionTimeoutMillis: 2_000 });
  // The server may be killed under it: the query under way tells.
  client.on('error', () => undefined);
  try {
    await client.connect();
    return (await client.query<Row>(statement, [...values])).rows;
  } finally {
    await client.end().catch(() => undefined);
  }
};

/** Waits until the service has recorded so many events since its database was made: the load has come that far. */
export const untilEvents = (context: StartContext, database: DatabaseName, count: number): Promise<unknown> =>
  untilRow(context, database, `${count} events of ${database}`, 'select 1 as enough from events offset $1 limit 1', [count - 1]);

export const countEvents = async (context: StartContext, database: DatabaseName): Promise<number> => {
  const [row] = await select<{ count: string }>(context, database, 'select count(*) from events');
  return Number(row?.count);
};

/** Waits until the group has exactly so many members and is not moving partitions between them. */
export const untilMembers = async (context: StartContext, groupId: string, count: number): Promise<void> => {
  const kafka = new kafkajs.Kafka({ brokers: [...context.brokers], clientId: 'faults', logLevel: kafkajs.logLevel.NOTHING });
  const admin = kafka.admin();
  await admin.connect();
  try {
    await until(
      async () => {
        const { groups } = await admin.describeGroups([groupId]).catch(() => ({ groups: [] }));
        return groups[0]?.state === 'Stable' && groups[0].members.length === count;
      },
      { timeoutMs: PATIENCE_MS, describe: `${count} members of ${groupId}` },
    );
  } finally {
    await admin.disconnect();
  }
};

/** Waits until the relays of a database are so many sessions, which together hold all buckets. */
export const untilRelays = (context: StartContext, database: 'conversation' | 'routing', count: number): Promise<unknown> =>
  untilRow(
    context,
    database,
    `${count} relays of ${database} with all buckets`,
    `select 1 as held from pg_locks
      where locktype = 'advisory' and granted and objid < 16
        and database = (select oid from pg_database where datname = current_database())
        and pid in (select pid from pg_stat_activity where application_name like '%-relay')
      having count(*) = 16 and count(distinct pid) = $1`,
    [count],
  );
