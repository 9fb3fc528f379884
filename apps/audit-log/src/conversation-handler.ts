import { typesOf } from '@centralita/contracts';
import { OnEvents, type EventBatch } from '@centralita/event-log';
import { Controller } from '@nestjs/common';
import { Participants, participantTypes } from './facts/participants.js';
import { Erasures, erasureTypes } from './intake/erasures.js';

const handles = [...participantTypes, ...erasureTypes] as const;
const ignores = typesOf('conversation.events.v1').filter((type) => !(handles as readonly string[]).includes(type));

/** What the ledger takes from conversations: erasures, which are records of it, and who takes part in a group. */
@Controller()
export class ConversationHandler {
  constructor(
    private readonly participants: Participants,
    private readonly erasures: Erasures,
  ) {}

  @OnEvents('conversation.events.v1', { handles, ignores })
  async onConversations(batch: EventBatch): Promise<void> {
    await this.participants.onMessages(batch);
    await this.erasures.onErasures(batch);
  }
}
