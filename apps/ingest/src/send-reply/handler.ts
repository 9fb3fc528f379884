import { isType } from '@centralita/contracts';
import { OnEvents, type EventBatch } from '@centralita/event-log';
import type { Tx } from '@centralita/event-store';
import { Controller } from '@nestjs/common';
import { SendLedger } from './ledger.js';

/** Takes up replies and what proves them. Nothing is sent from here: a consumer that is run again must have no other effect. */
@Controller()
export class SendReplies {
  constructor(private readonly ledger: SendLedger) {}

  @OnEvents('conversation.events.v1', {
    handles: ['conversation.reply.requested.v1', 'subject.erasure.started.v1'],
    ignores: [
      'contact.identified.v1',
      'contact.merged.v1',
      'contact.unmerged.v1',
      'conversation.opened.v1',
      'conversation.reopened.v1',
      'conversation.message.recorded.v1',
      'conversation.window.opened.v1',
      'conversation.reply.refused.v1',
      'conversation.transfer.requested.v1',
      'conversation.noted.v1',
      'conversation.disposed.v1',
      'conversation.closed.v1',
      'subject.erased.v1',
    ],
  })
  async requested({ events, tx }: EventBatch): Promise<void> {
    const sends = events.flatMap(({ event, topic, partition, offset, key }) =>
      isType(event, 'conversation.reply.requested.v1')
        ? [
            {
              sendId: event.data.sendId,
              replyId: event.data.replyId,
              conversationId: event.data.conversationId,
              key,
              phoneNumberId: event.data.phoneNumberId,
              kind: event.data.kind,
              sendBefore: new Date(event.data.sendBefore),
              sealed: event.data.sealed,
              flow: {
                correlationId: event.correlationid,
                causationId: event.id,
                cause: { topic, partition, offset: offset.toString() },
              },
            },
          ]
        : [],
    );
    await this.ledger.enqueue(tx as Tx, sends);
    const closing = events.flatMap(({ event }) => (isType(event, 'subject.erasure.started.v1') ? event.data.subjectIds : []));
    // From here on the person is somebody new to the directory.
    if (closing.length > 0)
      await (tx as Tx).execute('delete from identity where tenant_id = $1 and subject_id = any($2::uuid[])', [
        (tx as Tx).tenantId,
        closing,
      ]);
  }

  @OnEvents('wa.inbound.v1', {
    handles: ['whatsapp.status.changed.v1'],
    ignores: [
      'whatsapp.message.received.v1',
      'whatsapp.call.changed.v1',
      'whatsapp.echo.received.v1',
      'whatsapp.identity.changed.v1',
      'whatsapp.preference.changed.v1',
      'whatsapp.account.changed.v1',
      'whatsapp.unknown.received.v1',
    ],
  })
  async proven({ events, tx }: EventBatch): Promise<void> {
    const proofs = events.flatMap(({ event }) =>
      isType(event, 'whatsapp.status.changed.v1') && event.data.sendId !== null
        ? [{ sendId: event.data.sendId, messageRef: event.data.messageRef }]
        : [],
    );
    if (proofs.length > 0) await this.ledger.proven(tx as Tx, proofs);
  }
}
