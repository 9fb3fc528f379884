import { randomUUID } from 'node:crypto';
import type { ThreadItem } from '@centralita/contracts';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { TestPlatform, type Customer } from '../support.spec.js';

type Actor = Parameters<TestPlatform['call']>[0];

let sut: TestPlatform;
beforeAll(async () => {
  sut = await TestPlatform.start();
});
afterAll(() => sut.stop());

const thread = async (actor: Actor, path: string, query = ''): Promise<{ items: ThreadItem[]; nextCursor: string | null }> => {
  const answer = await sut.call(actor, 'GET', `${path}/messages${query}`);
  expect(answer.status).toBe(200);
  return answer.body as { items: ThreadItem[]; nextCursor: string | null };
};
const record = async (id: string | null): Promise<Record<string, unknown> | undefined> =>
  (await sut.sql.query<{ data: Record<string, unknown> }>(`select data from events where event_id = $1`, [id])).rows[0]?.data;

describe('a thread', () => {
  it('shows what was said, newest first, and says so in the access record', async () => {
    const { customer, agent, path, ref } = await sut.talking();
    const later = (seconds: number): Date => new Date(sut.now().getTime() + seconds * 1000);
    const media = { mediaId: randomUUID(), mimeType: 'application/pdf', sha256: null, voice: false };
    await sut.message(customer, '', { type: 'location', body: { latitude: 40.4, longitude: -3.7, name: 'Sol' }, at: later(1) });
    await sut.message(customer, '', { type: 'contacts', at: later(2) });
    await sut.message(customer, '', { type: 'document', body: { filename: 'factura.pdf' }, media, at: later(3) });
    await sut.message(customer, '', { type: 'reaction', body: { emoji: '👍' }, context: ref, at: later(4) });
    await sut.recorded(customer, 5);
    await sut.publish('wa.outbound.v1', 'media.stored.v1', customer.subjectId, {
      ...{ mediaId: media.mediaId, messageRef: ref, subjectId: customer.subjectId, mimeType: media.mimeType, bytes: 3 },
      ...{ cipherSha256: '0'.repeat(64), objectKey: 'media/1' },
    });
    await sut.settled('wa.outbound.v1');
    const answer = await sut.call(agent, 'GET', `${path}/messages`);
    const { items } = answer.body as { items: ThreadItem[] };
    expect(items.map(({ kind, messageType, text }) => [kind, messageType, text])).toEqual([
      ['inbound', 'reaction', '👍'],
      ['inbound', 'document', null],
      ['inbound', 'contacts', null],
      ['inbound', 'location', null],
      ['event', null, null],
      ['inbound', 'text', 'Hola, ¿hay citas?'],
    ]);
    expect(items[0]).toMatchObject({ reactionTo: ref, contextRef: null });
    expect(items[1]?.media).toEqual({
      ...{ mediaId: media.mediaId, mimeType: media.mimeType, voice: false },
      state: 'stored',
      fileName: 'factura.pdf',
    });
    expect(items[3]?.location).toEqual({ latitude: 40.4, longitude: -3.7, name: 'Sol' });
    expect(items[4]?.event).toEqual({ type: 'assigned', taskId: sut.conversation(customer) });
    expect(await record(answer.headers.get('x-access-record'))).toMatchObject({
      action: 'conversation.thread.read',
      resource: { type: 'conversation', id: sut.conversation(customer) },
      fields: ['location', 'media', 'message_text'],
      resultCount: 6,
      reason: { code: 'ASSIGNED_CONVERSATION' },
    });
    expect(answer.headers.get('cache-control')).toBe('no-store');
  });

  it('pages back in time, each line once, also within one second', async () => {
    const { customer, agent, path } = await sut.talking(new Date(sut.now().getTime() - 60_000));
    const at = new Date(sut.now().getTime() - 30_000);
    for (let message = 0; message < 9; message += 1) await sut.message(customer, String(message), { at });
    await sut.recorded(customer, 10);
    const texts: (string | null)[] = [];
    let cursor: string | null = null;
    do {
      const body = await thread(agent, path, `?limit=4${cursor ? `&cursor=${cursor}` : ''}`);
      texts.push(...body.items.filter(({ kind }) => kind === 'inbound').map(({ text }) => text));
      cursor = body.nextCursor;
    } while (cursor);
    expect(texts).toEqual(['8', '7', '6', '5', '4', '3', '2', '1', '0', 'Hola, ¿hay citas?']);
  });

  it('stands as people saw it happen, though the provider tells seconds and its clock is ahead of ours', async () => {
    const { customer, agent, path } = await sut.talking(new Date(sut.now().getTime() - 60_000));
    let replies = 0;
    const reply = async (text: string): Promise<Date> => {
      const headers = { 'if-match': `1.${String(replies)}` };
      const { body } = await sut.call<{ id: string }>(agent, 'POST', `${path}/replies`, { kind: 'text', text }, headers);
      replies += 1;
      const [row] = await sut.rows('thread_item', 'item_id', body.id);
      return row?.['at'] as Date;
    };
    let messages = 1;
    const message = async (text: string, at: number): Promise<void> => {
      await sut.message(customer, text, { at: new Date(Math.floor(at / 1000) * 1000) });
      messages += 1;
      await sut.recorded(customer, messages);
    };
    const answered = await reply('answer');
    await message('in the second of the answer, after it', answered.getTime());
    await message('two seconds ahead of our clock', answered.getTime() + 2000);
    await reply('answer to what came from the future');
    await message('from before the answer, late', answered.getTime() - 30_000);

    const texts: (string | null)[] = [];
    let cursor: string | null = null;
    do {
      const body = await thread(agent, path, `?limit=1${cursor ? `&cursor=${cursor}` : ''}`);
      texts.push(...body.items.filter(({ kind }) => kind !== 'event').map(({ text }) => text));
      cursor = body.nextCursor;
    } while (cursor);
    expect(texts.reverse()).toEqual([
      'Hola, ¿hay citas?',
      'from before the answer, late',
      'answer',
      'in the second of the answer, after it',
      'two seconds ahead of our clock',
      'answer to what came from the future',
    ]);
    const inbox = await sut.call(agent, 'GET', '/v1/inbox');
    expect(inbox.body).toMatchObject({ items: [{ preview: 'answer to what came from the future', previewKind: 'out' }] });
  });

  it('of a group names who speaks', async () => {
    const group: Customer = await sut.customer('group');
    const [ana, eva] = [await sut.customer('Ana'), await sut.customer('Eva')];
    await sut.message(ana, 'Hola', { group: { subjectId: group.subjectId, groupId: 'G-2' } });
    await sut.message(eva, 'Buenas', { group: { subjectId: group.subjectId, groupId: 'G-2' } });
    await sut.recorded(group, 2);
    const answer = await sut.call(sut.supervisor(), 'GET', `/v1/conversations/${sut.conversation(group)}/messages`);
    const { items } = answer.body as { items: ThreadItem[] };
    expect(items.map(({ sender, text }) => [sender, text]).sort()).toEqual([
      ['Ana', 'Hola'],
      ['Eva', 'Buenas'],
    ]);
    const shown = await record(answer.headers.get('x-access-record'));
    expect(shown?.['subjects']).toHaveLength(2);
    expect(shown).toMatchObject({ reason: { code: 'SUPERVISION_QA' }, fields: ['display_name', 'message_text'] });
  });

  it('of an erased customer says so and shows nothing', async () => {
    const { customer, agent, path } = await sut.talking();
    await sut.keyring.setState(sut.tenantId, customer.subjectId, 'closing');
    await sut.keyring.setState(sut.tenantId, customer.subjectId, 'destroyed');
    const { items } = await thread(agent, path);
    expect(items.find(({ kind }) => kind === 'inbound')).toMatchObject({ erased: true, text: null });
    const inbox = await sut.call(agent, 'GET', '/v1/inbox');
    expect(inbox.body).toMatchObject({ items: [{ erased: true, displayName: null, phoneMasked: null, preview: '' }] });
    expect(await sut.call(agent, 'POST', `${path}/reveal`, { field: 'phone', reason: 'SUBJECT_REQUEST' })).toMatchObject({
      status: 410,
      body: { code: 'ERASED' },
    });
  });
});
