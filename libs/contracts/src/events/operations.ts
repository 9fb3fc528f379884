import { z } from 'zod';
import { defineEvent } from '../define.js';
import { DecimalInteger, Instant, Service, Sha256Hex, Uuid } from '../primitives.js';

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

/** Who worked on the log itself, without a service between: the name under which it signed in at the brokers. */
const Principal = z.string().min(1).max(120).describe('name at the brokers; `unauthenticated` where they ask for none');
const Sequence = DecimalInteger.describe('number of the manifest, from 1 on');

export const archiveSealed = defineEvent({
  ...base,
  type: 'archive.sealed.v1',
  summary: 'Records of the log were sealed in the archive, up to this manifest.',
  data: z.object({
    sequence: Sequence,
    manifestDigest: Sha256Hex,
    logDigest: Sha256Hex,
    records: DecimalInteger.describe('sealed by this run'),
    principal: Principal,
    at: Instant,
  }),
});
export const archiveRestored = defineEvent({
  ...base,
  type: 'archive.restored.v1',
  summary: 'An empty cluster was filled from the archive, and gives the same digest.',
  data: z.object({
    sequence: Sequence,
    manifestDigest: Sha256Hex,
    logDigest: Sha256Hex,
    records: DecimalInteger,
    fromCluster: z.string().max(80),
    principal: Principal,
    at: Instant,
  }),
});
export const topicsCreated = defineEvent({
  ...base,
  type: 'topics.created.v1',
  summary: 'Topics of the platform were made.',
  data: z.object({
    topics: z.array(z.string().max(80)),
    partitions: z.number().int(),
    replicationFactor: z.number().int(),
    minInsyncReplicas: z.number().int(),
    principal: Principal,
    at: Instant,
  }),
});
export const keyringRewrapped = defineEvent({
  ...base,
  type: 'keyring.rewrapped.v1',
  summary: 'The keys of the keyring were wrapped again under the newest version of the key that wraps them.',
  data: z.object({
    provider: z.string().max(40),
    version: z.string().max(80),
    keys: DecimalInteger,
    principal: Principal,
    at: Instant,
  }),
});
export const selftestRan = defineEvent({
  ...base,
  type: 'selftest.ran.v1',
  summary: 'An installation was tried out: this event was appended to be found again.',
  data: z.object({ runId: Uuid, principal: Principal, at: Instant }),
});

export const ledgerVerified = defineEvent({
  ...base,
  type: 'ledger.verified.v1',
  summary: 'The access ledgers were derived again from the log and compared with every checkpoint.',
  data: z.object({
    runId: Uuid,
    equal: z.boolean(),
    logs: z.number().int().describe('ledgers that were derived'),
    checkpoints: DecimalInteger,
    rootsDigest: Sha256Hex.describe('over origin, size and root of each ledger'),
    differences: z.number().int(),
    verifiedAt: Instant,
  }),
});

export const operationsEvents = [
  recordParked,
  recordRetried,
  recordSkipped,
  projectionRebuilt,
  keyRotated,
  archiveSealed,
  archiveRestored,
  topicsCreated,
  keyringRewrapped,
  selftestRan,
  ledgerVerified,
] as const;
