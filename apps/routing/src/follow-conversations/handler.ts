import { isType } from '@centralita/contracts';
import { OnEvents, traceparentOfCause, type ConsumedEvent, type EventBatch } from '@centralita/event-log';
import type { Tx } from '@centralita/event-store';
import { Controller } from '@nestjs/common';
import { insertInputs, type NewInput } from '../inputs/input-table.js';
import { loadFacts, saveFacts } from './facts.js';
import { KnownConversations, toInput } from './to-inputs.js';

const unique = (ids: readonly string[]): string[] => [...new Set(ids)];

const inputOf = (consumed: ConsumedEvent, fact: NewInput['fact']): NewInput => ({
  inputId: `event:${consumed.event.id}`,
  fact,
  origin: {
    causationId: consumed.event.id,
    correlationId: consumed.event.correlationid,
    cause: { topic: consumed.topic, partition: consumed.partition, offset: consumed.offset.toString() },
    traceparent: traceparentOfCause(consumed),
  },
});

/** Follows conversations: each event that routing must act on becomes an input of the tenant's domain, in the order of the log. */
@Controller()
export class ConversationFollower {
  @OnEvents('conversation.events.v1', {
    handles: [
      'conversation.opened.v1',
      'conversation.reopened.v1',
      'conversation.closed.v1',
      'conversation.window.opened.v1',
      'conversation.transfer.requested.v1',
    ],
    ignores: [
      'contact.identified.v1',
      'contact.merged.v1',
      'contact.unmerged.v1',
      // The window that a message opens comes as an event of its own.
      'conversation.message.recorded.v1',
      'conversation.reply.requested.v1',
      'conversation.reply.refused.v1',
      'conversation.noted.v1',
      'conversation.disposed.v1',
      'subject.erasure.started.v1',
      'subject.erased.v1',
    ],
  })
  async onConversation(batch: EventBatch): Promise<void> {
    const tx = batch.tx as Tx;
    const events = batch.events.map(({ event }) => event);
    const conversationIds = events.flatMap((event) =>
      isType(event, 'conversation.reopened.v1') || isType(event, 'conversation.transfer.requested.v1')
        ? [event.data.conversationId]
        : [],
    );
    const subjectIds = events.flatMap((event) => (isType(event, 'conversation.window.opened.v1') ? [event.data.subjectId] : []));
    const known = new KnownConversations(await loadFacts(tx, unique(conversationIds), unique(subjectIds)));
    const inputs = batch.events.flatMap((consumed) => {
      const fact = toInput(known, consumed.event);
      return fact ? [inputOf(consumed, fact)] : [];
    });
    await saveFacts(tx, known.changed());
    await insertInputs(tx, inputs);
  }
}
