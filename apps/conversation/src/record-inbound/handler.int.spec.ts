import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { HOUR, TestPlatform, type Customer } from '../support.spec.js';

let sut: TestPlatform;
beforeAll(async () => {
  sut = await TestPlatform.start();
});
afterAll(() => sut.stop());

const short = (events: readonly { type: string }[]): string[] =>
  events.map(({ type }) => type.replace(/^conversation\.|\.v1$/g, ''));
const expiry = async (customer: Customer): Promise<unknown> => {
  const [line] = await sut.rows('service_window', 'subject_id', customer.subjectId);
  return (line?.['expires_at'] as Date | undefined)?.getTime();
};

describe('what a customer sends', () => {
  it('opens a case, once, however often it is delivered', async () => {
    const customer = await sut.customer();
    const wamid = `wamid.${randomUUID()}`;
    const eventId = randomUUID();
    // the same fact three times, and the same message with other bytes (another event id)
    await sut.message(customer, 'Hola', { wamid, eventId });
    await sut.message(customer, 'Hola', { wamid, eventId });
    await sut.message(customer, 'Hola', { wamid });
    await sut.message(customer, 'Hola', { wamid, eventId });
    await sut.settled();
    const events = await sut.recorded(customer, 1);
    expect(short(events)).toEqual(['contact.identified', 'opened', 'message.recorded', 'window.opened']);
    expect(await sut.row(customer)).toMatchObject({ status: 'open', unread: 1, ordinal: 1, language: 'es', stream_version: 2 });
  });

  it('an album of ten in 200 ms, interleaved with others and out of order: one case, ten lines in place, one window', async () => {
    const [customer, other] = [await sut.customer(), await sut.customer()];
    const second = Math.floor(sut.now().getTime() / 1000) * 1000 - 60_000;
    const album = Array.from({ length: 10 }, (_, index) => new Date(second + index * 20));
    for (const at of [...album.slice(5), ...album.slice(0, 5)]) {
      await sut.message(customer, '', { type: 'image', body: { mime_type: 'image/jpeg' }, at });
      await sut.message(other, 'Hola', { at });
    }
    await sut.settled();
    const events = await sut.recorded(customer, 10);
    expect(new Set(events.filter(({ type }) => type.includes('message')).map(({ stream_id }) => stream_id))).toEqual(
      new Set([sut.conversation(customer)]),
    );
    expect(short(events).filter((type) => type === 'opened')).toHaveLength(1);
    expect(await expiry(customer)).toBe(second + 180 + 24 * HOUR);
    expect(await sut.row(customer)).toMatchObject({ unread: 10, last_at: new Date(second + 999) });
  });

  it('whatever the order of arrival, the window ends at the same time and nothing moves it back', async () => {
    const now = sut.now().getTime();
    const ages = [3, 1, 30, 2, 1, 26];
    const orders = [ages, [...ages].reverse(), [...ages].sort((a, b) => a - b)];
    for (const order of orders) {
      const customer = await sut.customer();
      for (const age of order) await sut.message(customer, 'Hola', { at: new Date(now - age * HOUR) });
      await sut.recorded(customer, order.length);
      expect(await expiry(customer)).toBe(now + 23 * HOUR);
      const moves = (await sut.recorded(customer, order.length)).filter(({ type }) => type === 'conversation.window.opened.v1');
      const times = moves.map(({ data }) => String(data['openedAt']));
      expect(times).toEqual([...times].sort());
    }
  });

  it('after 25 hours: a case is there, its window is not', async () => {
    const customer = await sut.customer();
    await sut.message(customer, 'Hola', { at: new Date(sut.now().getTime() - 25 * HOUR) });
    const [, opened] = await sut.recorded(customer, 1);
    expect(Date.parse(String(opened?.data['windowExpiresAt']))).toBeLessThan(sut.now().getTime());
  });

  it('in a group: is kept under the group, with its sender', async () => {
    const group: Customer = await sut.customer('group');
    const [ana, eva] = [await sut.customer('Ana'), await sut.customer('Eva')];
    const place = { subjectId: group.subjectId, groupId: 'G-1' };
    await sut.message(ana, 'Hola a todos', { group: place });
    await sut.message(eva, 'Hola', { group: place });
    const events = await sut.recorded(group, 2);
    expect(short(events).filter((type) => type === 'opened')).toHaveLength(1);
    const senders = events.flatMap(({ data }) => (data['sealed'] as { subject: string } | undefined)?.subject ?? []);
    expect(senders).toEqual([ana.subjectId, eva.subjectId]);
    expect(await sut.row(ana)).toBeUndefined();
  });

  it('calls, echoes, reactions and rotations each do their own', async () => {
    const customer = await sut.customer();
    const base = { ...sut.origin(), providerTime: sut.now().toISOString(), subjectId: customer.subjectId };
    const marketHint = { country: 'ES', prefix: '34' };
    const callRef = await sut.ref('wacid.1');
    const call = { ...base, callRef, marketHint, sealed: await sut.envelope(customer, { id: 'wacid.1', event: 'connect' }) };
    const publish = sut.publish.bind(sut);
    await publish('wa.inbound.v1', 'whatsapp.call.changed.v1', customer.subjectId, {
      ...{ ...call, event: 'connect', direction: 'USER_INITIATED', status: null },
    });
    await publish('wa.inbound.v1', 'whatsapp.call.changed.v1', customer.subjectId, {
      ...{ ...call, event: 'terminate', direction: 'USER_INITIATED', status: 'COMPLETED' },
    });
    // a voicemail comes with the id of its call and is a message all the same
    await sut.message(customer, '', { type: 'audio', body: { voice: true }, wamid: 'wacid.1' });
    const echo = { ...base, messageRef: await sut.ref('wamid.echo'), messageType: 'text', marketHint };
    await publish('wa.inbound.v1', 'whatsapp.echo.received.v1', customer.subjectId, {
      ...echo,
      sealed: await sut.envelope(customer, { type: 'text', text: { body: 'Ya te llamo' } }),
    });
    await sut.message(customer, '', { type: 'reaction', body: { message_id: 'wamid.echo', emoji: '👍' } });
    await publish('wa.inbound.v1', 'whatsapp.identity.changed.v1', customer.subjectId, {
      ...{ ...base, change: 'user_id_update', sealed: await sut.envelope(customer, {}) },
    });
    await sut.recorded(customer, 4);
    await sut.settled();
    expect(await sut.row(customer)).toMatchObject({ outbound_version: 1, unread: 0 });
    const items = await sut.rows('thread_item', 'conversation_id', sut.conversation(customer));
    expect(items.map(({ kind, message_type, event_type }) => [kind, message_type ?? event_type]).sort()).toEqual([
      ['echo', 'text'],
      ['event', 'identity_changed'],
      ['inbound', 'audio'],
      ['inbound', 'call'],
      ['inbound', 'reaction'],
    ]);
  });

  it('every fact names the record that made it happen, and customers stay apart', async () => {
    const customer = await sut.customer();
    await sut.message(customer, 'Hola');
    await sut.recorded(customer, 1);
    const { rows } = await sut.sql.query<{ meta: { cause?: { topic: string }; causationId: string | null } }>(
      `select meta from events where key = $1`,
      [customer.subjectId],
    );
    for (const { meta } of rows) {
      expect(meta.cause?.topic).toBe('wa.inbound.v1');
      expect(meta.causationId).not.toBeNull();
    }
    const { rows: plain } = await sut.sql.query<{ found: boolean }>(
      `select exists (select from conversation c where c::text ~ $1 union all select from thread_item t where t::text ~ $1
        union all select from events e where e::text ~ $1) as found`,
      [`${customer.phone}|${customer.name}`],
    );
    expect(plain[0]?.found).toBe(false);
  });
});
