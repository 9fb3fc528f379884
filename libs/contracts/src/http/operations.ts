import { z } from 'zod';
import { DecimalInteger, Instant, Uuid } from '../primitives.js';
import { page, PageQuery } from './shared.js';

/**
 * How a parked key is named to operators: by the record key where that is an id, otherwise by the place of its first record,
 * `topic~partition~offset`, since a key that is not ours may be anything.
 */
export const ParkedHandle = z
  .string()
  .regex(/^([0-9a-fA-F-]{36}|[a-z0-9.-]{1,80}~\d{1,9}~\d{1,18})$/)
  .describe('record key, or topic~partition~offset of the first record');

/** Where a record stands on the log. */
export const RecordPlace = z.object({
  topic: z.string().max(80),
  partition: z.number().int().min(0),
  offset: DecimalInteger,
});

/** A key whose records wait for an operator, in one consumer group, on all of its topics. Names, places and counts; never contents. */
export const ParkedKeyView = z.object({
  key: ParkedHandle,
  group: z.string().describe('consumer group'),
  code: z.string().describe('why its first record is not applied'),
  since: Instant,
  records: z.number().int().describe('how many wait'),
  topics: z.array(z.object({ topic: z.string(), records: z.number().int() })),
  first: RecordPlace.extend({ eventId: Uuid.nullable() })
    .nullable()
    .describe('what a skip gives up; null while somebody works on the key'),
});
export type ParkedKeyView = z.infer<typeof ParkedKeyView>;

export const ParkedQuery = PageQuery.extend({ key: ParkedHandle.optional() });
export const ParkedKeyPage = page(ParkedKeyView);
export type ParkedKeyPage = z.infer<typeof ParkedKeyPage>;

/** The record that is given up: refused with 412 when another is the first by now. */
export const SkipBody = z.object({ record: RecordPlace });

/** What a retry or a skip did. */
export const ParkedOutcome = z.object({
  key: ParkedHandle,
  group: z.string(),
  applied: z.number().int().describe('records that have been applied'),
  blocked: z.string().nullable().describe('why the next record failed; the key stays parked. null: the key is free'),
});
export type ParkedOutcome = z.infer<typeof ParkedOutcome>;
