import { z } from 'zod';
import { defineEvent } from '../define.js';
import { DecimalInteger, Instant, Sha256Hex, Uuid } from '../primitives.js';

const base = { producers: ['audit-log'], key: 'stream', id: 'new', personal: [] } as const;

export const leafSequenced = defineEvent({
  ...base,
  topic: 'audit.sequenced.v1',
  consumers: ['audit-log'],
  type: 'audit.leaf.sequenced.v1',
  summary: 'The place of one leaf in the tenant log. A rebuild reads the order here and must reach the same roots.',
  data: z.object({
    logId: Uuid,
    origin: z.string().max(200),
    leafIndex: DecimalInteger,
    leafKind: z.enum(['record', 'subject', 'erasure']).describe('a subject leaf is the light leaf of one subject in a list'),
    leaf: z.string().max(4096).describe('the canonical JSON of the leaf, verbatim; it holds commitments only'),
    leafHash: Sha256Hex.describe('RFC 6962 leaf hash'),
    recordId: Uuid,
    source: z.string().max(64).describe('lane id'),
    sourceNumber: DecimalInteger.describe('gapless number of the source'),
    sequencedAt: Instant,
  }),
});

export const checkpointPublished = defineEvent({
  ...base,
  topic: 'audit.checkpoints.v1',
  consumers: [],
  type: 'audit.checkpoint.published.v1',
  summary: 'A signed tree head over what is published.',
  data: z.object({
    logId: Uuid,
    origin: z.string().max(200),
    size: DecimalInteger,
    root: Sha256Hex,
    note: z.string().max(2000),
    publishedAt: Instant,
  }),
});

export const auditEvents = [leafSequenced, checkpointPublished] as const;
