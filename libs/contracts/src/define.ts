import type { z } from 'zod';
import type { Service } from './primitives.js';

/** Topics of the platform. All are append-only, never compacted, kept without limit, with twelve partitions. */
export const Topics = [
  'wa.inbound.v1',
  'wa.outbound.v1',
  'conversation.events.v1',
  'routing.events.v1',
  'billing.events.v1',
  'access.events.v1',
  'operations.events.v1',
  'audit.sequenced.v1',
  'audit.checkpoints.v1',
] as const;
export type Topic = (typeof Topics)[number];

/** What the record key is: the customer's subject, the event's own stream, or the source lane of access and operations records. */
export type KeyScheme = 'subject' | 'stream' | 'lane';

/**
 * How the event id is made: `fact` = keyed hash of the provider's item (a redelivery has the same id), `send` = keyed hash of
 * (kind, send or media id, attempt), `new` = UUIDv7.
 */
export type IdFormula = 'fact' | 'send' | 'new';

export type EventDefinition<Type extends string = string, Data extends z.ZodType = z.ZodType> = {
  readonly type: Type;
  readonly topic: Topic;
  readonly producers: readonly Service[] | 'every service';
  readonly consumers: readonly Service[];
  readonly key: KeyScheme;
  readonly id: IdFormula;
  /** Names of the personal fields inside `data.sealed`; nothing personal stands anywhere else. */
  readonly personal: readonly string[];
  readonly summary: string;
  readonly data: Data;
};

export const defineEvent = <const Type extends string, Data extends z.ZodType>(
  definition: EventDefinition<Type, Data>,
): EventDefinition<Type, Data> => definition;
