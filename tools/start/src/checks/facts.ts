import { decodeEvent, isType, Topics, type CloudEvent, type EventType, type Topic, type TypedEvent } from '@centralita/contracts';
import { openEventLog, type StoredRecord } from '@centralita/event-log';
import { Keyring, type References } from '@centralita/keyring';
import { z } from 'zod';
import type { StartContext } from '../context.js';
import type { DayResult } from '../day/play.js';
import { SimulatorClient, type SimulatorJournal } from '../day/simulator-client.js';

/** An event with the place where it stands on the log. */
export type Placed<Event extends CloudEvent | TypedEvent<EventType> = CloudEvent> = {
  readonly event: Event;
  readonly partition: number;
  readonly offset: bigint;
  readonly key: string;
};

/** A record that is no event that this build knows. */
export type UnreadableRecord = {
  readonly topic: Topic;
  readonly partition: number;
  readonly offset: bigint;
  readonly why: string;
  /** Every group that had parked it was told by an operator to go on without it: it stands on the log as their decision. */
  readonly givenUp: boolean;
};

/** What a customer did that can open a conversation: a message, or a call that arrives before any message of theirs. */
export type Contacted = { readonly phoneNumberId: string; readonly customerId: string | null; readonly groupId: string | null };

const Calls = z.object({ metadata: z.object({ phone_number_id: z.string() }), calls: z.array(z.object({ id: z.string() })) });

/** Both sides of every check: what the simulated world did, and what the platform recorded. */
export class Facts {
  private constructor(
    readonly context: StartContext,
    readonly day: DayResult,
    readonly world: SimulatorJournal,
    readonly records: ReadonlyMap<Topic, readonly StoredRecord[]>,
    readonly keyring: Keyring,
    readonly references: ReadonlyMap<string, References>,
    readonly unreadable: readonly UnreadableRecord[],
    private readonly events: ReadonlyMap<Topic, readonly Placed[]>,
  ) {}

  /** Reads every record of every topic. Call it when nothing moves any more. */
  static async gather(context: StartContext, day: DayResult): Promise<Facts> {
    const world = await new SimulatorClient(context.simulatorUrl).journal();
    const log = await openEventLog({ brokers: [...context.brokers], clientId: 'checks' });
    const records = new Map<Topic, StoredRecord[]>();
    try {
      for (const topic of Topics) {
        const found: StoredRecord[] = [];
        const ends = await log.admin.endOffsets(topic);
        const ranges = [...ends].filter(([, to]) => to > 0n).map(([partition, to]) => ({ topic, partition, from: 0n, to }));
        if (ranges.length > 0) await log.read(ranges, async (batch) => void found.push(...batch));
        records.set(topic, found);
      }
    } finally {
      await log.close();
    }
    const unreadable: Omit<UnreadableRecord, 'givenUp'>[] = [];
    const events = new Map<Topic, Placed[]>();
    for (const [topic, list] of records)
      events.set(
        topic,
        list.flatMap((record) => {
          const decoded = decodeEvent(record.value);
          if ('event' in decoded)
            return [
              {
                event: decoded.event,
                partition: record.partition,
                offset: record.offset,
                key: record.key?.toString('utf8') ?? '',
              },
            ];
          const { partition, offset } = record;
          unreadable.push({ topic, partition, offset, why: `${decoded.problem} ${decoded.detail}` });
          return [];
        }),
      );
    const givenUp = givenUpIn(events.get('operations.events.v1') ?? []);
    const keyring = await Keyring.open(context.keyring);
    const references = new Map<string, References>();
    for (const tenant of context.tenants) references.set(tenant.tenantId, await keyring.references(tenant.tenantId));
    return new Facts(
      context,
      day,
      world,
      records,
      keyring,
      references,
      unreadable.map((record) => ({ ...record, givenUp: givenUp(record) })),
      events,
    );
  }

  /** Events of one type, first occurrences only: a redelivery stands on the log again and has its effect once. */
  of<Type extends EventType>(topic: Topic, type: Type): Placed<TypedEvent<Type>>[] {
    const seen = new Set<string>();
    return this.all(topic).flatMap((placed) => {
      if (!isType(placed.event, type) || seen.has(placed.event.id)) return [];
      seen.add(placed.event.id);
      return [placed as Placed<TypedEvent<Type>>];
    });
  }

  /** Who wrote or called, by the reference that the platform gave to it; for the first of a conversation, whom its replies answer. */
  openers(): ReadonlyMap<string, Contacted> {
    return new Map(
      this.world.inbound.flatMap(({ kind, field, wamid, phoneNumberId, customerId, groupId, item }): [string, Contacted][] => {
        if (kind === 'message' && wamid !== null && phoneNumberId !== null)
          return [[this.messageRef(phoneNumberId, wamid), { phoneNumberId, customerId, groupId }]];
        if (field !== 'calls') return [];
        const { metadata, calls } = Calls.parse(item);
        const called = { phoneNumberId: metadata.phone_number_id, customerId, groupId };
        return calls.map(({ id }) => [this.messageRef(called.phoneNumberId, id), called]);
      }),
    );
  }

  all(topic: Topic): readonly Placed[] {
    return this.events.get(topic) ?? [];
  }

  referencesOf(phoneNumberId: string): References {
    const tenantId = this.context.numbers.find((number) => number.phoneNumberId === phoneNumberId)?.tenantId ?? '';
    const references = this.references.get(tenantId);
    if (!references) throw new RangeError(`number ${phoneNumberId} has no tenant`);
    return references;
  }

  messageRef(phoneNumberId: string, wamid: string): string {
    return this.referencesOf(phoneNumberId).messageRef(phoneNumberId, wamid);
  }

  async close(): Promise<void> {
    await this.keyring.close();
  }
}

type Where = { readonly topic: string; readonly partition: number; readonly offset: bigint | string };

/** Says of a record whether an operator gave it up in every group that had parked it, and some group had. */
const givenUpIn = (operations: readonly Placed[]): ((record: Where) => boolean) => {
  const open = new Map<string, Set<string>>();
  const nameOf = ({ topic, partition, offset }: Where): string => `${topic}/${partition}/${offset}`;
  const groupsOf = (record: Where): Set<string> => {
    const groups = open.get(nameOf(record)) ?? new Set<string>();
    open.set(nameOf(record), groups);
    return groups;
  };
  for (const { event } of operations) if (isType(event, 'record.parked.v1')) groupsOf(event.data).add(event.data.group);
  for (const { event } of operations) if (isType(event, 'record.skipped.v1')) groupsOf(event.data).delete(event.data.group);
  return (record) => open.get(nameOf(record))?.size === 0;
};
