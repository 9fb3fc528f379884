import type { ThreadItem } from '@centralita/contracts';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { TestPlatform } from '../support.spec.js';

let sut: TestPlatform;
beforeAll(async () => {
  sut = await TestPlatform.start();
});
afterAll(() => sut.stop());

const aMinuteAgo = (): Date => new Date(sut.now().getTime() - 60_000);

/** A reply that was asked for, and what may become of it. */
const replied = async () => {
  const { customer, agent, path } = await sut.talking();
  const { body } = await sut.call(agent, 'POST', `${path}/replies`, { kind: 'text', text: 'Hola' }, { 'if-match': '1.0' });
  const replyId = (body as { id: string }).id;
  const [row] = await sut.rows('thread_item', 'item_id', replyId);
  const send = {
    ...{ sendId: String(row?.['send_id']), replyId, conversationId: sut.conversation(customer) },
    phoneNumberId: sut.origin().phoneNumberId,
    attempt: 1,
  };
  const messageRef = await sut.ref(`wamid.${replyId}`);
  const outbound = sut.publish.bind(sut, 'wa.outbound.v1');
  const steps = {
    attempted: () =>
      outbound('whatsapp.reply.attempted.v1', customer.subjectId, { ...send, kind: 'text', sendBefore: sut.now().toISOString() }),
    accepted: () => outbound('whatsapp.reply.accepted.v1', customer.subjectId, { ...send, kind: 'text', messageRef }),
    unresolved: () => outbound('whatsapp.reply.unresolved.v1', customer.subjectId, send),
    refused: () =>
      outbound('whatsapp.reply.refused.v1', customer.subjectId, { ...send, reason: 'undeliverable', providerCode: 131026 }),
    sent: () => sut.status(customer, { messageRef, status: 'sent' }),
    delivered: () => sut.status(customer, { messageRef, status: 'delivered' }),
    deliveredBySend: () => sut.status(customer, { messageRef, status: 'delivered', sendId: send.sendId }),
    read: () => sut.status(customer, { messageRef, status: 'read' }),
    failed: () => sut.status(customer, { messageRef, status: 'failed', errorCodes: [131026] }),
    warped: () => sut.status(customer, { messageRef, status: 'warped' }),
  };
  const shown = async (): Promise<Pick<ThreadItem, 'status' | 'statusCode'>> => {
    await sut.settled('wa.inbound.v1');
    await sut.settled('wa.outbound.v1');
    const thread = await sut.call(agent, 'GET', `${path}/messages`);
    const item = (thread.body as { items: ThreadItem[] }).items.find(({ id }) => id === replyId);
    return { status: item?.status ?? null, statusCode: item?.statusCode ?? null };
  };
  return { steps, shown, path, agent };
};

type Steps = Awaited<ReturnType<typeof replied>>['steps'];

describe('what becomes of a reply', () => {
  it.each<[string, (keyof Steps)[], string, string | null]>([
    ['is asked for', [], 'requested', null],
    ['is called', ['attempted'], 'attempted', null],
    ['is taken and read', ['attempted', 'accepted', 'sent', 'delivered', 'read'], 'read', null],
    ['is read without being delivered', ['attempted', 'accepted', 'read'], 'read', null],
    ['statuses before the answer to the send', ['attempted', 'delivered', 'sent', 'accepted'], 'delivered', null],
    [
      'statuses out of order, a new one among them',
      ['attempted', 'accepted', 'read', 'warped', 'delivered', 'sent'],
      'read',
      null,
    ],
    ['fails, whatever comes later', ['attempted', 'accepted', 'failed', 'delivered'], 'failed', '131026'],
    ['is refused by the provider', ['attempted', 'refused'], 'refused', '131026'],
    ['gives no answer', ['attempted', 'unresolved'], 'unknown', null],
    [
      'gives no answer and is resolved by a status with its send id',
      ['attempted', 'unresolved', 'deliveredBySend'],
      'delivered',
      null,
    ],
  ])('%s', async (_, order, status, statusCode) => {
    const { steps, shown } = await replied();
    for (const step of order) await steps[step]();
    expect(await shown()).toEqual({ status, statusCode });
  });

  it('the edge says that the window was closed: the next text is refused here', async () => {
    const { customer, agent, path } = await sut.talking(aMinuteAgo());
    await sut.publish('wa.outbound.v1', 'whatsapp.reply.refused.v1', customer.subjectId, {
      ...{ sendId: crypto.randomUUID(), replyId: crypto.randomUUID(), conversationId: sut.conversation(customer) },
      ...{ phoneNumberId: sut.origin().phoneNumberId, attempt: 1, reason: 'window_closed', providerCode: 131047 },
    });
    await sut.settled('wa.outbound.v1');
    expect(await sut.call(agent, 'GET', path)).toMatchObject({ body: { mayReply: 'template', whyNot: 'WINDOW_CLOSED' } });
  });

  it('a status says so: of a message to a customer, and nothing when it failed for one of a group', async () => {
    const { customer, agent, path } = await sut.talking(aMinuteAgo());
    const failed = { messageRef: await sut.ref('wamid.failed'), status: 'failed', errorCodes: [131047] };
    await sut.status(customer, { ...failed, participant: await sut.ref('somebody') });
    await sut.settled('wa.inbound.v1');
    expect(await sut.call(agent, 'GET', path)).toMatchObject({ body: { mayReply: 'text' } });
    await sut.status(customer, failed);
    await sut.settled('wa.inbound.v1');
    expect(await sut.call(agent, 'GET', path)).toMatchObject({ body: { mayReply: 'template', whyNot: 'WINDOW_CLOSED' } });
  });
});
