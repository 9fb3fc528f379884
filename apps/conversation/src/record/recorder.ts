import type { Cause } from '@centralita/contracts';
import { EventStore, inOneTrip, type Appended, type NewEvent, type Tx } from '@centralita/event-store';
import { CLOCK, type Clock } from '@centralita/platform-nest';
import { Inject, Injectable } from '@nestjs/common';
import { foldConversations } from '../inbox/projection.js';
import { streamOf, type OwnEvent } from '../ids.js';
import { threadLines } from '../thread/projection.js';
import { projectContacts, projectWindows } from './lines.js';
import type { Known } from './load.js';
import type { Recorded } from './recorded.js';
import { addRows, replaceRows } from './rows.js';

/** A decided fact on its way into the store. */
export type Pending = {
  readonly event: OwnEvent;
  /** Version of the case's stream before the first of its events here; of other streams, whatever it is. */
  readonly caseVersion: number;
  /** Where it must be known before: an envelope names the event that holds it. */
  readonly id?: string;
  readonly correlationId?: string;
  readonly causationId?: string;
  readonly cause?: Cause;
};

const expectedVersion = ({ event, caseVersion }: Pending): number | 'any' => {
  if (event.type === 'contact.identified.v1') return 0;
  return event.type === 'conversation.window.opened.v1' ? 'any' : caseVersion;
};

/** Folds facts into everything that is read here. Applying any of them again changes nothing. */
export const project = (tx: Tx, recorded: readonly Recorded[], known: Known): void => {
  const { rows, placed } = foldConversations(known.conversations, recorded);
  inOneTrip(tx, [
    ...projectContacts(recorded),
    ...projectWindows(known.windows, recorded),
    ...replaceRows('conversation', ['conversation_id'], rows),
    ...addRows('thread_item', threadLines(placed)),
  ]);
};

/** Appends facts and folds them into the projections, in the caller's transaction, which holds the locks of their subjects. */
@Injectable()
export class Recorder {
  constructor(
    private readonly store: EventStore,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  async record(tx: Tx, pending: readonly Pending[], known: Known): Promise<Appended[]> {
    if (pending.length === 0) return [];
    const time = this.clock();
    const appended = await this.store.append(
      tx,
      'conversation.events.v1',
      pending.map((entry): NewEvent => {
        const { event, id, correlationId, causationId, cause } = entry;
        return {
          key: event.data.subjectId,
          streamId: streamOf(tx.tenantId, event),
          expectedVersion: expectedVersion(entry),
          type: event.type,
          data: event.data,
          time,
          ...(id === undefined ? {} : { id }),
          ...(correlationId === undefined ? {} : { correlationId }),
          ...(causationId === undefined ? {} : { causationId }),
          ...(cause === undefined ? {} : { cause }),
        } as NewEvent;
      }),
    );
    project(
      tx,
      appended.map(({ id, streamVersion }, index) => ({
        id,
        streamVersion: Number(streamVersion),
        time: time.toISOString(),
        event: (pending[index] as Pending).event,
      })),
      known,
    );
    return appended;
  }
}
