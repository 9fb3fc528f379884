import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  accept,
  append,
  calls,
  callsOf,
  fixture,
  log,
  NUMBER,
  plans,
  refuse,
  request,
  said,
  say,
  setUp,
  settled,
  startSender,
  stateOf,
  status,
  stopSender,
  tearDown,
  tenantId,
  until,
} from './provider.spec.js';
import { rebuildLedger } from './rebuild.js';

beforeAll(setUp);
afterAll(tearDown);

describe('a reply', () => {
  it('is announced, called once with the send id, and accepted', async () => {
    const { sendId, key, event } = await request({
      plaintext: { to: '34600000001', text: 'mañana 👋', contextWamid: 'wamid.IN' },
    });
    expect(await settled(sendId, 'accepted')).toEqual(['attempted', 'accepted']);
    expect(callsOf(sendId)).toMatchObject([
      {
        path: `/v25.0/${NUMBER}/messages`,
        authorization: 'Bearer token-blue',
        body: { to: '34600000001', text: { body: 'mañana 👋' }, context: { message_id: 'wamid.IN' } },
      },
    ]);
    const references = await fixture.keyring.references(tenantId);
    const [attempted, accepted] = said(sendId);
    expect(accepted).toMatchObject({
      id: references.sendEventId('whatsapp.reply.accepted.v1', sendId, 1),
      data: { messageRef: references.messageRef(NUMBER, `wamid.${sendId}`), kind: 'text', attempt: 1 },
      event: {
        subject: key,
        correlationid: event.correlationid,
        causationid: event.id,
        cause: { topic: 'conversation.events.v1' },
      },
    });
    expect(attempted!.data).toMatchObject({ attempt: 1, kind: 'text' });
    expect(JSON.stringify(said(sendId))).not.toMatch(/34600000001|mañana|wamid/);
    // A status that comes without the send id can be bound now.
    await until(async () => (await stateOf(sendId)) === 'accepted');
  });

  it('of a template goes to a BSUID as the recipient', async () => {
    const { sendId } = await request({
      plaintext: { recipient: 'ES.1', template: { name: 'again', language: 'es', values: ['Ana'] } },
    });
    await settled(sendId, 'accepted');
    const [call] = callsOf(sendId);
    expect(call!.body).not.toHaveProperty('to');
    expect(call!.body).toMatchObject({
      recipient: 'ES.1',
      template: {
        name: 'again',
        language: { code: 'es' },
        components: [{ type: 'body', parameters: [{ type: 'text', text: 'Ana' }] }],
      },
    });
  });

  it('to a group names it as one', async () => {
    const { sendId } = await request({ plaintext: { to: 'G1', recipientType: 'group', text: 'a todos' } });
    await settled(sendId, 'accepted');
    expect(callsOf(sendId)).toMatchObject([{ body: { to: 'G1', recipient_type: 'group' } }]);
  });

  it('that is refused says why', async () => {
    const sendId = randomUUID();
    let called = '';
    plans.set(sendId, (response) => {
      called = new Date().toISOString();
      refuse(131047)(response);
    });
    await request({ sendId });
    expect(await settled(sendId, 'refused')).toEqual(['attempted', 'refused']);
    const [attempted, refused] = said(sendId);
    expect(refused!.data).toMatchObject({ reason: 'window_closed', providerCode: 131047 });
    // It is about the moment of the call: what the customer wrote since has opened the window again.
    expect(refused!.event.time >= attempted!.event.time && refused!.event.time <= called).toBe(true);
  });

  it('that comes too late is refused without a call', async () => {
    const { sendId } = await request({ sendBefore: new Date(Date.now() - 1) });
    expect(await settled(sendId, 'refused')).toEqual(['refused']);
    expect(said(sendId)[0]!.data).toMatchObject({ reason: 'deadline_passed', providerCode: null });
    expect(callsOf(sendId)).toEqual([]);
  });

  it.each([
    ['has two addresses', { to: '1', recipient: 'ES.1', text: 'x' }],
    ['has no words', { to: '34600000001' }],
    ['is none', 'text'],
  ])('whose envelope %s is refused without a call', async (_, plaintext) => {
    const { sendId } = await request({ plaintext });
    await settled(sendId, 'refused');
    expect(said(sendId)[0]!.data).toMatchObject({ reason: 'invalid_request' });
    expect(callsOf(sendId)).toEqual([]);
  });

  it('for a number of another tenant is refused without a call', async () => {
    const { sendId } = await request({ phoneNumberId: '999' });
    await settled(sendId, 'refused');
    expect(callsOf(sendId)).toEqual([]);
  });

  it('that is requested twice is sent once', async () => {
    const { sendId, key, event } = await request();
    await append('conversation.events.v1', 'conversation.reply.requested.v1', key, event.data, true);
    await settled(sendId, 'accepted');
    const next = await request({ key });
    await settled(next.sendId, 'accepted');
    expect(callsOf(sendId)).toHaveLength(1);
  });

  it('waits for the one before it to the same customer, and not for others', async () => {
    const key = randomUUID();
    const held: (() => void)[] = [];
    const first = randomUUID();
    plans.set(first, (response, call) => void held.push(() => accept(response, call)));
    await request({ key, sendId: first });
    const second = (await request({ key })).sendId;
    const other = (await request()).sendId;
    await until(() => held.length === 1);
    await settled(other, 'accepted');
    expect(callsOf(second)).toEqual([]);
    held[0]!();
    await settled(second, 'accepted');
    const order = calls.map((call) => call.sendId);
    expect(order.indexOf(first)).toBeLessThan(order.indexOf(second));
  });
});

describe('a call without an answer', () => {
  it('is unknown, is proven by a status, and is never made again', async () => {
    const sendId = randomUUID();
    plans.set(sendId, say);
    const { key } = await request({ sendId });
    await until(async () => (await stateOf(sendId)) === 'unknown');
    expect(said(sendId).map(({ type }) => type)).toEqual(['attempted']);
    const messageRef = await status(sendId, key, 'wamid.PROOF');
    expect(await settled(sendId, 'accepted')).toEqual(['attempted', 'accepted']);
    expect(said(sendId)[1]!.data).toMatchObject({ messageRef });
    expect(callsOf(sendId)).toHaveLength(1);
  });

  it('is proven also by a status that came before the answer was missed', async () => {
    const sendId = randomUUID();
    const held: ServerResponse[] = [];
    plans.set(sendId, (response) => void held.push(response));
    const { key } = await request({ sendId });
    await until(() => held.length === 1);
    const messageRef = await status(sendId, key, 'wamid.EARLY');
    await settled(sendId, 'accepted');
    expect(said(sendId).find(({ type }) => type === 'accepted')!.data).toMatchObject({ messageRef });
    expect(callsOf(sendId)).toHaveLength(1);
  });

  it('does not hold up the next reply', async () => {
    const key = randomUUID();
    const sendId = randomUUID();
    plans.set(sendId, say);
    await request({ key, sendId });
    const next = await request({ key });
    await settled(next.sendId, 'accepted');
  });

  it('is unresolved after a time, and a late status still tells the truth', async () => {
    const sendId = randomUUID();
    plans.set(sendId, say);
    const { key } = await request({ sendId });
    await until(async () => (await stateOf(sendId)) === 'unknown');
    await fixture.db.withTenant(tenantId, (tx) =>
      tx.execute(`update send set attempted_at = now() - interval '1 hour' where send_id = $1`, [sendId]),
    );
    expect(await settled(sendId, 'unresolved')).toEqual(['attempted', 'unresolved']);
    await until(async () => (await stateOf(sendId)) === 'unresolved');
    await status(sendId, key, 'wamid.LATE');
    expect(await settled(sendId, 'accepted')).toEqual(['attempted', 'unresolved', 'accepted']);
    expect(callsOf(sendId)).toHaveLength(1);
  });
});

describe('a restored database', () => {
  it('learns from the log which calls were made, before the first call', async () => {
    // given replies that were sent, and a database from before
    const accepted = await request();
    await settled(accepted.sendId, 'accepted');
    const unknown = randomUUID();
    plans.set(unknown, say);
    const { key, event } = await request({ sendId: unknown });
    await until(async () => (await stateOf(unknown)) === 'unknown');
    await stopSender();
    const made = calls.length;
    await fixture.db.withTenant(tenantId, (tx) => tx.execute('delete from send'));
    await fixture.db.system((tx) => tx.execute('update ledger_position set next_offset = 0'));

    // when the sender starts again, and the request comes again too
    await startSender();
    expect([await stateOf(accepted.sendId), await stateOf(unknown)]).toEqual(['accepted', 'unknown']);
    expect(await rebuildLedger(fixture.db, log)).toBe(0);
    await append('conversation.events.v1', 'conversation.reply.requested.v1', key, event.data, true);
    await settled((await request()).sendId, 'accepted');

    // then nothing was called twice, and what was unknown can still be proven
    expect(calls.length).toBe(made + 1);
    await status(unknown, key, 'wamid.PROVEN');
    await settled(unknown, 'accepted');
    expect(callsOf(unknown)).toHaveLength(1);
  });
});

describe('an erasure', () => {
  it('makes the directory forget the person', async () => {
    const subjectId = randomUUID();
    await fixture.db.withTenant(tenantId, (tx) =>
      tx.execute(
        `insert into identity (tenant_id, kind, blind_index, since, subject_id) values ($1, 'bsuid', 'x', '-infinity', $2)`,
        [tenantId, subjectId],
      ),
    );
    const data = {
      erasureId: randomUUID(),
      contactId: randomUUID(),
      subjectIds: [subjectId],
      startedAt: new Date().toISOString(),
    };
    await append('conversation.events.v1', 'subject.erasure.started.v1', subjectId, data, true);
    await until(async () => {
      const rows = await fixture.db.withTenant(tenantId, (tx) =>
        tx.query('select 1 from identity where subject_id = $1', [subjectId]),
      );
      return rows.length === 0;
    });
  });
});
