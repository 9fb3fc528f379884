import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { EventStore, type Tx } from '@centralita/event-store';
import { CONVERSATION_COLUMNS, type ConversationRow } from '../inbox/projection.js';
import type { OwnEvent } from '../ids.js';
import { HOUR, TestPlatform } from '../support.spec.js';
import { loadLines, type Known } from './load.js';
import type { Recorded } from './recorded.js';
import { project } from './recorder.js';
import { readRows } from './rows.js';

let sut: TestPlatform;
beforeAll(async () => {
  sut = await TestPlatform.start();
});
afterAll(() => sut.stop());

const tables = ['subject', 'service_window', 'conversation', 'thread_item'] as const;
const dump = async (): Promise<unknown[]> => {
  const states = await Promise.all(
    tables.map((table) =>
      sut.sql.query<Record<string, unknown>>(`select * from ${table} t where tenant_id = $1 order by t::text`, [sut.tenantId]),
    ),
  );
  return states.map(({ rows }) => rows);
};

/** What a writer would have read before it. */
const knownOf = async (tx: Tx, subjectId: string): Promise<Known> => {
  const lines = await loadLines(tx, [{ phoneNumberId: sut.origin().phoneNumberId, subjectId }]);
  const conversations = await readRows<ConversationRow>(
    tx,
    `select ${CONVERSATION_COLUMNS.join(', ')} from conversation where tenant_id = $1`,
    [tx.tenantId],
  );
  return {
    conversations: new Map(conversations.map((row) => [row.conversation_id, row])),
    windows: new Map([...lines].map(([key, { window }]) => [key, window])),
  };
};

describe('projections', () => {
  it('are folds: every event again changes nothing, and from nothing they come out the same', async () => {
    // given a day with all that a case may hold
    const { customer, agent, path } = await sut.talking();
    await sut.call(agent, 'POST', `${path}/replies`, { kind: 'text', text: 'Hola' }, { 'if-match': '1.0' });
    await sut.call(agent, 'POST', `${path}/notes`, { text: 'nota' });
    for (let message = 0; message < 3; message += 1)
      await sut.message(customer, 'más', { at: new Date(sut.now().getTime() - message * HOUR) });
    await sut.recorded(customer, 4);
    await sut.call(agent, 'POST', `${path}/close`, { dispositionCode: 'solved' });
    await sut.later(2 * HOUR, () => sut.message(customer, 'otra vez'));
    await sut.recorded(customer, 5);
    const before = await dump();
    const store = new EventStore({ service: 'conversation' });
    const apply = (): Promise<void> =>
      sut.service.deps.db.withTenant(sut.tenantId, async (tx) => {
        const streams = await tx.query<{ stream_id: string }>(
          `select distinct stream_id from events where tenant_id = $1 and topic = 'conversation.events.v1' order by stream_id`,
          [sut.tenantId],
        );
        for (const { stream_id } of streams) {
          const events = await store.load(tx, stream_id);
          const recorded = events.map(({ id, streamVersion, time, type, data }): Recorded => ({
            ...{ id, streamVersion, time: time.toISOString() },
            event: { type, data } as OwnEvent,
          }));
          project(tx, recorded, await knownOf(tx, customer.subjectId));
        }
      });
    // when applied again
    await apply();
    // then
    expect(await dump()).toEqual(before);
    // when rebuilt from nothing (lines of routing are routing's to tell)
    const routed = (await sut.rows('thread_item', 'event_type', 'assigned')) as { item_id: string }[];
    await sut.sql.query(`truncate ${tables.join(', ')}`);
    await apply();
    const after = await dump();
    // then
    const without = (rows: unknown): unknown =>
      (rows as { item_id: string }[]).filter(({ item_id }) => !routed.some((line) => line.item_id === item_id));
    expect([after[0], after[1], after[2]]).toEqual([before[0], before[1], before[2]]);
    expect(after[3]).toEqual(without(before[3]));
  });
});
