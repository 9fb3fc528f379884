import { Topics } from '@centralita/contracts';
import { openEventLog } from '@centralita/event-log';
import { Client } from 'pg';
import { setTimeout as pause } from 'node:timers/promises';
import type { StartContext } from '../context.js';

/** Longer than the slowest periodic part: the sequencer signs once a second, the sender looks for work every second at the latest. */
const QUIET_MS = 3000;
const LIMIT_MS = 180_000;

type Movement = { readonly moving: readonly string[]; readonly ends: string };

/** Opens a look at every outbox, every consumer group, the routing writer's inputs and the log's ends. */
const watch = async (context: StartContext): Promise<{ look: () => Promise<Movement>; close: () => Promise<void> }> => {
  const log = await openEventLog({ brokers: [...context.brokers], clientId: 'settled' });
  const clients = Object.entries(context.databases)
    .filter(([name]) => name !== 'keyring' && name !== 'gateway')
    .map(([name, urls]) => ({ name, client: new Client({ connectionString: urls.adminUrl }) }));
  const close = async (): Promise<void> => {
    await Promise.all(clients.map(({ client }) => client.end().catch(() => undefined)));
    await log.close();
  };
  try {
    for (const { client } of clients) {
      // At Ctrl-C the server goes away: the query under way tells.
      client.on('error', () => undefined);
      await client.connect();
    }
  } catch (error) {
    await close();
    throw error;
  }
  const look = async (): Promise<Movement> => {
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
      if (name === 'ingest') {
        // Of a caller that died the fate is unknown until a status or time has told it.
        const open = await client.query<{ count: string }>(
          `select count(*) from send where state not in ('accepted', 'refused', 'unresolved')`,
        );
        if (open.rows[0]?.count !== '0') moving.push(`ingest: ${open.rows[0]?.count} replies whose fate is open`);
      }
      if (name === 'routing') {
        // What was applied there is only handed to the writer.
        const waiting = await client.query<{ count: string }>('select count(*) from domain_input where seq is null');
        if (waiting.rows[0]?.count !== '0') moving.push(`routing: ${waiting.rows[0]?.count} inputs to decide`);
      }
    }
    return { moving, ends: [...ends].join() };
  };
  return { look, close };
};

/** Whether every outbox is empty, and every consumer group has applied and the writer decided what is on the log, at this moment. */
export const caughtUp = async (context: StartContext): Promise<boolean> => {
  const { look, close } = await watch(context);
  try {
    return (await look()).moving.length === 0;
  } finally {
    await close();
  }
};

/**
 * Waits until nothing moves any more: every outbox is empty, every consumer group has applied what is on the log, and the log has not
 * grown for a while. Throws after three minutes, saying what still moves.
 */
export const untilSettled = async (context: StartContext): Promise<void> => {
  const { look, close } = await watch(context);
  try {
    const started = Date.now();
    let last = '';
    let quietSince = Date.now();
    for (;;) {
      const { moving, ends } = await look();
      if (ends !== last || moving.length > 0) [last, quietSince] = [ends, Date.now()];
      if (Date.now() - quietSince >= QUIET_MS) return;
      if (Date.now() - started > LIMIT_MS)
        throw new Error(`still moving after ${LIMIT_MS / 1000} s: ${moving.slice(0, 5).join('; ') || 'the log grows'}`);
      await pause(250);
    }
  } finally {
    await close();
  }
};
