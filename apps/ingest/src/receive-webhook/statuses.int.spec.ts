import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  blue,
  fixture,
  inbound,
  messages,
  NUMBER,
  post,
  recorded,
  setUp,
  start,
  statuses,
  tearDown,
  text,
} from './harness.spec.js';

beforeAll(setUp);
afterAll(tearDown);

describe('a status', () => {
  const insertSend = async (row: { sendId: string; key: string; messageRef?: string }): Promise<void> => {
    await fixture.db.withTenant(blue.tenantId, (tx) =>
      tx.query(
        `insert into send (tenant_id, send_id, reply_id, conversation_id, key, phone_number_id, kind, send_before, state, message_ref, country, prefix)
         values ($1, $2, gen_random_uuid(), gen_random_uuid(), $3, $4, 'text', now(), 'attempted', $5, 'PT', '3519')`,
        [blue.tenantId, row.sendId, row.key, NUMBER, row.messageRef ?? null],
      ),
    );
  };
  const status = (extra: Record<string, unknown>) => ({
    id: `wamid.${randomUUID()}`,
    status: 'sent',
    timestamp: '1790000000',
    ...extra,
  });
  const subjects = async (): Promise<number> => {
    const rows = await fixture.db.withTenant(blue.tenantId, (tx) => tx.query('select distinct subject_id from identity'));
    return rows.length;
  };
  const givenSend = async (messageRef?: string) => {
    const customer = text();
    const key = (await recorded(messages(customer))).events[0]!.subject;
    const sendId = randomUUID();
    await insertSend({ sendId, key, ...(messageRef === undefined ? {} : { messageRef }) });
    return { key, sendId };
  };

  it('belongs to the send that it names, and makes nobody', async () => {
    const { key, sendId } = await givenSend();
    const before = await subjects();
    // The provider spells the number in another way, or names nobody at all.
    const { events } = await recorded(
      statuses(
        status({ biz_opaque_callback_data: sendId, recipient_id: '5511987654321' }),
        status({ biz_opaque_callback_data: sendId }),
      ),
    );
    expect(events.map((event) => event.subject)).toEqual([key, key]);
    expect(events[1]!.data).toMatchObject({ sendId, participant: '-', marketHint: { country: 'PT', prefix: '3519' } });
    expect(await subjects()).toBe(before);
  });

  it('is found by the message when it does not name the send', async () => {
    const references = await fixture.keyring.references(blue.tenantId);
    const wamid = `wamid.${randomUUID()}`;
    const { key } = await givenSend(references.messageRef(NUMBER, wamid));
    const { events } = await recorded(
      statuses(status({ id: wamid, recipient_id: '5511987654321', biz_opaque_callback_data: 'another app' })),
    );
    expect(events).toMatchObject([{ subject: key, data: { sendId: null } }]);
  });

  it('of a message that we did not send belongs to its recipient', async () => {
    const customer = text();
    const { subject } = (await recorded(messages(customer))).events[0]!;
    const { events } = await recorded(
      statuses(status({ recipient_id: customer['from'], pricing: { category: 'x'.repeat(80) } })),
    );
    expect(events).toMatchObject([
      { type: 'whatsapp.status.changed.v1', subject, data: { pricing: { category: 'x'.repeat(64) } } },
    ]);
  });

  it('of nobody’s message to nobody is kept as unknown', async () => {
    const { events } = await recorded(statuses(status({ status: 'failed', errors: [{ code: 131026 }] })));
    expect(events).toMatchObject([{ type: 'whatsapp.unknown.received.v1', data: { reason: 'unknown_item' } }]);
  });

  it('of each reader of a group message is a fact of its own', async () => {
    const { key, sendId } = await givenSend();
    const id = 'wamid.GROUP';
    const readers = ['ES.901', 'ES.902', 'ES.903', 'ES.904', 'ES.905'].map((reader) =>
      status({
        id,
        status: 'read',
        recipient_type: 'group',
        recipient_id: 'G7',
        recipient_participant_user_id: reader,
        biz_opaque_callback_data: sendId,
      }),
    );
    const { events } = await recorded(statuses(...readers));
    expect(new Set(events.map((event) => event.id)).size).toBe(5);
    expect(new Set(events.map((event) => (event.data as { participant: string }).participant)).size).toBe(5);
    expect(events.every((event) => event.subject === key)).toBe(true);
  });

  it('of a message to somebody who is being erased is not recorded, and the rest of its delivery is', async () => {
    const { key, sendId } = await givenSend();
    const other = await givenSend();
    await fixture.keyring.setState(blue.tenantId, key, 'closing');
    // A process that has never seen the key alive.
    const fresh = await start();
    const body = statuses(
      status({ biz_opaque_callback_data: sendId, recipient_id: '34699999999' }),
      status({ biz_opaque_callback_data: other.sendId, recipient_id: '34699999998' }),
    );
    const [before, people] = [inbound().length, await subjects()];
    for (const state of ['closing', 'destroyed'] as const) {
      await fixture.keyring.setState(blue.tenantId, key, state);
      expect((await post(body, {}, 'blue', `http://127.0.0.1:${fresh.port}/webhooks`)).status).toBe(200);
    }
    const metrics = await (await fetch(`http://127.0.0.1:${fresh.metricsPort}/metrics`)).text();
    await fresh.drain.drain('test');
    expect(inbound()).toHaveLength(before + 2);
    expect(inbound().filter(({ data }) => (data as { sendId?: string }).sendId === sendId)).toEqual([]);
    expect(await subjects()).toBe(people);
    expect(metrics).toMatch(/ingest_events_total\{[^}]*outcome="suppressed"[^}]*\} 2/);
  });
});
