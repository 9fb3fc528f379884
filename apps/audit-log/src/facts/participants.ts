import { isType, typesOf, type EventType } from '@centralita/contracts';
import type { EventBatch } from '@centralita/event-log';
import type { Tx } from '@centralita/event-store';
import { Keyring } from '@centralita/keyring';
import { Injectable } from '@nestjs/common';
import { commitmentsOf } from './commitments.js';

export const participantTypes = ['conversation.message.recorded.v1'] as const satisfies readonly EventType[];

/** Types of the topic that say nothing about who takes part in a group. */
export const participantsIgnored: ReadonlySet<string> = new Set(
  typesOf('conversation.events.v1').filter((type) => !(participantTypes as readonly string[]).includes(type)),
);

/**
 * Keeps who has written in whose conversation when it is not their own, as in a group: a record of a list or a media names who wrote,
 * and not in which conversation. Both stand here by commitment, never by subject id.
 */
@Injectable()
export class Participants {
  constructor(private readonly keyring: Keyring) {}

  async onMessages(batch: EventBatch): Promise<void> {
    const wrote = batch.events.flatMap(({ event }) =>
      isType(event, 'conversation.message.recorded.v1') && event.data.sealed.subject !== event.data.subjectId
        ? [{ subject: event.data.sealed.subject, owner: event.data.subjectId }]
        : [],
    );
    if (wrote.length === 0) return;
    const commitments = await commitmentsOf(
      this.keyring,
      batch.tenantId,
      wrote.flatMap(({ subject, owner }) => [subject, owner]),
    );
    const known = wrote.flatMap(({ subject, owner }) => {
      const [of, by] = [commitments.get(owner), commitments.get(subject)];
      return of === undefined || by === undefined ? [] : [{ subject: by, owner: of }];
    });
    const tx = batch.tx as Tx;
    await tx.execute(
      `insert into participant (tenant_id, subject, owner) select $1, * from unnest($2::text[], $3::text[]) on conflict do nothing`,
      [tx.tenantId, known.map(({ subject }) => subject), known.map(({ owner }) => owner)],
    );
  }
}
