import type { Random } from '@centralita/tool-simulator';
import type { StartContext } from '@centralita/tool-start';
import { Client } from 'pg';
import { untilEvents, untilRow } from '../harness/watch.js';
import type { Scenario } from '../scenario.js';

const ROUNDS = 6;

type DatabaseName = 'conversation' | 'routing';

/** Runs statements in a transaction that stays open while `meanwhile` goes on, and is taken back at the end. */
const inOpenTransaction = async (
  context: StartContext,
  database: DatabaseName,
  work: (client: Client) => Promise<unknown>,
  meanwhile: () => Promise<unknown>,
): Promise<void> => {
  const client = new Client({ connectionString: context.databases[database].adminUrl, application_name: 'faults-third-writer' });
  await client.connect();
  try {
    // Open for as long as the others take, on a machine however busy.
    await client.query('set idle_in_transaction_session_timeout = 0');
    await client.query('begin');
    // Its place in the order of transactions is taken now, before those of everybody who commits meanwhile.
    await client.query('select pg_current_xact_id()');
    await work(client);
    await meanwhile();
    await client.query('rollback');
  } finally {
    await client.end();
  }
};

/** A writer that has counted up the head of a key of its own and does not commit. */
const holdNewHead = (client: Client): Promise<unknown> =>
  client.query(
    `insert into key_head (tenant_id, topic, key, bucket, last_version, dirty_since)
     select tenant_id, topic, gen_random_uuid(), bucket, 1, clock_timestamp() from key_head limit 1`,
  );

/** A writer that holds the head that was written last, so that the relay meets it and its next writer waits. */
const holdBusyHead = (client: Client): Promise<unknown> =>
  client.query(
    `select 1 from key_head where (tenant_id, topic, key) =
       (select tenant_id, topic, key from events order by recorded_at desc limit 1) for no key update`,
  );

/** Waits until so many events that were recorded after the call are on the log: nobody waits for the open transactions. */
const untilPublished = async (context: StartContext, count: number): Promise<unknown> => {
  const { now } = await untilRow<{ now: string }>(context, 'conversation', 'the clock', 'select clock_timestamp()::text as now');
  return untilRow(
    context,
    'conversation',
    `${count} events of conversation to be published beside an open transaction`,
    `select 1 as published from events e join key_head h using (tenant_id, topic, key)
      where e.recorded_at > $1::timestamptz and e.key_version <= h.published_version having count(*) >= $2`,
    [now, count],
  );
};

const round = async (context: StartContext, random: Random, print: (line: string) => void): Promise<void> => {
  const [more, few] = [random.integer(10, 40), random.integer(1, 3)];
  const beside = random.pick(['conversation', 'routing'] as const);
  await inOpenTransaction(context, beside, holdNewHead, async () => {
    await untilPublished(context, more);
    await inOpenTransaction(context, 'conversation', holdBusyHead, () => untilPublished(context, few));
  });
  print(`${more} events were published beside a writer open in ${beside}, ${few} beside one that held a busy key`);
};

/**
 * A log that is read in the order of transactions stalls behind every writer that is open, in any database of the cluster, and turns two
 * streams round when the earlier transaction commits later. Ours has an order for each key.
 */
export const thirdWriter: Scenario = {
  name: 'third writer',
  what: 'a writer with an early transaction stays open while others commit, again and again: nothing waits for it, nothing is turned round',
  // The day must still be going on in the last round: forty customers who all write at once are done after ten seconds.
  customers: 100,
  arrivalMs: 500,
  bounded: false,
  faults: async ({ context }, random, print) => {
    await untilEvents(context, 'conversation', random.integer(5, 40));
    for (let number = 0; number < ROUNDS; number += 1) await round(context, random, print);
  },
};
