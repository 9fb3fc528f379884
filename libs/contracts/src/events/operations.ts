import { z } from 'zod';
import { defineEvent } from '../define.js';
import { DecimalInteger, Instant, Service, Uuid } from '../primitives.js';

const base = {
  topic: 'operations.events.v1',
  producers: 'every service',
  consumers: [],
  key: 'lane',
  id: 'new',
  personal: [],
} as const;
const Parked = {
  group: z.string().max(80),
  topic: z.string().max(80),
  partition: z.number().int(),
  offset: DecimalInteger,
  recordKey: z.string().max(64).nullable(),
};

export const recordParked = defineEvent({
  ...base,
  type: 'record.parked.v1',
  summary: 'A record could not be applied; its key waits on all topics of this consumer group.',
  data: z.object({ ...Parked, eventId: Uuid.nullable(), code: z.string().max(64), parkedAt: Instant }),
});
export const recordRetried = defineEvent({
  ...base,
  type: 'record.retried.v1',
  summary: 'An operator had a parked record applied again.',
  data: z.object({ ...Parked, actorId: Uuid, at: Instant }),
});
export const recordSkipped = defineEvent({
  ...base,
  type: 'record.skipped.v1',
  summary: 'An operator gave a parked record up.',
  data: z.object({ ...Parked, actorId: Uuid, at: Instant }),
});
export const projectionRebuilt = defineEvent({
  ...base,
  type: 'projection.rebuilt.v1',
  summary: 'A projection was filled again from the log.',
  data: z.object({ service: Service, projection: z.string().max(80), rows: DecimalInteger, at: Instant }),
});
export const keyRotated = defineEvent({
  ...base,
  type: 'key.rotated.v1',
  summary: 'A key was wrapped again under a new key.',
  data: z.object({ service: Service, purpose: z.string().max(80), kid: z.string().max(64), at: Instant }),
});

export const operationsEvents = [recordParked, recordRetried, recordSkipped, projectionRebuilt, keyRotated] as const;
