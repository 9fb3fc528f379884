import { Topics } from '@centralita/contracts';
import { openEventLog } from '@centralita/event-log';
import { Client } from 'pg';
import { setTimeout as pause } from 'node:timers/promises';
import type { StartContext } from '../context.js';

/** Longer than the slowest periodic part: the sequencer signs once a second, the sender looks for work every second at the latest. */
const QUIET_MS = 3000;
const LIMIT_MS = 180_000;

/**
 * Waits until nothing moves any more: every outbox is empty, every consumer group has applied what is on the log, and the log has not
 * grown for a while. Throws after three minutes, saying what still moves.
 */
export const untilSettled = async (context: StartContext): Promise<void> => {
  const log = openEventLog({ brokers: [...context.brokers], clientId: 'settled' });
  const clients = await Promise.all(
    Object.entries(context.databases)
      .filter(([name]) => name !== 'keyring' && name !== 'gateway')
      .map(async ([name, urls]) => {
        const client = new Client({ connectionString: urls.adminUrl });
        // At Ctrl-C the server goes away: the query under way tells.
        client.on('error', () => undefined);
        await client.connect();
        return { name, client };
      }),
  );
  try {
    const started = Date.now();
    let last = '';
    let quietSince = Date.now();
    for (;;) {
      const ends = new Map<string, bigint>();
      for (const topic of Topics)
        for (const [partition, end] of await log.admin.endOffsets(topic)) ends.set(`${topic}:${partition}`, end);
      const moving: string[] = [];
      for (const { name, client } of clients) {
        const dirty = await client.query<{ count: string }>('select count(*) from key_head where dirty_since is not null');
        if (dirty.rows[0]?.count !== '0') moving.push(`${name}: ${dirty.rows[0]?.count} keys to publish`);
        const offsets = await client.query<{ group_id: string; topic: string; partition: number; next_offset: string }>(
          'select group_id, topic, partition, next_offset from consumer_offset',
        );
        for (const row of offsets.rows) {
          const behind = (ends.get(`${row.topic}:${row.partition}`) ?? 0n) - BigInt(row.next_offset);
          if (behind > 0n) moving.push(`${row.group_id}: ${behind} records behind on ${row.topic}/${row.partition}`);
        }
      }
      const now = [...ends].join();
      if (now !== last || moving.length > 0) [last, quietSince] = [now, Date.now()];
      if (Date.now() - quietSince >= QUIET_MS) return;
      if (Date.now() - started > LIMIT_MS)
        throw new Error(`still moving after ${LIMIT_MS / 1000} s: ${moving.slice(0, 5).join('; ') || 'the log grows'}`);
      await pause(250);
    }
  } finally {
    await Promise.all(clients.map(({ client }) => client.end()));
    await log.close();
  }
};
