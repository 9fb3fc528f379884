import { z } from 'zod';
import { Instant } from '../primitives.js';
import { ParkedHandle, ParkedKeyView } from './operations.js';
import { Cursor } from './shared.js';

/** Processes of an installation, by the names that its logs, settings and workloads use. */
export const PlatformProcesses = [
  'ingest-webhook',
  'ingest-media',
  'ingest-sender',
  'conversation',
  'routing',
  'billing',
  'audit-log',
  'gateway',
  'lag-exporter',
] as const;
export const PlatformProcess = z.enum(PlatformProcesses);
export type PlatformProcess = z.infer<typeof PlatformProcess>;

/** Views that are filled again from the log beside those that serve, each by a command of the service that keeps it. */
export const PlatformProjections = { usage: 'billing', facts: 'audit-log' } as const satisfies Readonly<
  Record<string, PlatformProcess>
>;
export type PlatformProjection = keyof typeof PlatformProjections;

/** Processes with a consumer group: there keys can be parked. */
export const ParkingProcess = PlatformProcess.extract([
  'conversation',
  'routing',
  'billing',
  'audit-log',
  'ingest-media',
  'ingest-sender',
]);
export type ParkingProcess = z.infer<typeof ParkingProcess>;

/** The way of a message through the platform. */
export const PlatformStages = ['webhook', 'conversation', 'routing', 'billing', 'audit-log'] as const;
export const PlatformStage = z.enum(PlatformStages);
export type PlatformStage = z.infer<typeof PlatformStage>;

const figure = z.number().nullable();
/** Oldest first, at equal steps; null where nothing was known. */
const series = z.array(figure);

export const PlatformProcessView = z.object({
  process: PlatformProcess,
  instance: z.string().nullable().describe('which of several, as the list of targets names it'),
  state: z.enum(['ready', 'not_ready', 'down']),
  since: Instant.describe('when this state was first seen'),
  failing: z
    .array(z.object({ check: z.string(), reason: z.string() }))
    .describe('why it is not ready, by condition; empty when it is ready or down'),
  problem: z
    .enum(['REFUSED', 'TIMEOUT', 'UNREADABLE'])
    .nullable()
    .describe('why its figures are not there: nobody listens, no answer in time, or an answer that is none of ours'),
  answeredAt: Instant.nullable().describe('its last answer'),
  version: z.string().nullable(),
  startedAt: Instant.nullable(),
  eventLoopDelaySeconds: figure.describe('99th percentile'),
  residentBytes: figure,
  lagRecords: figure.describe('records that its consumer group has still to apply; null without a group'),
  lagSeconds: figure,
  parkedKeys: figure,
});
export type PlatformProcessView = z.infer<typeof PlatformProcessView>;

export const PlatformStageView = z.object({
  stage: PlatformStage,
  perSecond: figure.describe('records applied (webhook: items recorded) a second, over the last minute'),
  lagRecords: figure.describe('null at the webhook, which records before it answers'),
  lagSeconds: figure,
  outboxDepth: figure.describe('events that are committed and not on the log'),
  outboxAgeSeconds: figure,
  history: z.object({ perSecond: series, lagSeconds: series }),
});
export type PlatformStageView = z.infer<typeof PlatformStageView>;

/** What a proof by replay said last, about the fold of billing or about the ledger. Both null: there was none yet. */
export const ReplayProofView = z.object({
  of: z.enum(['billing', 'ledger']),
  verifiedAt: Instant.nullable(),
  equal: z.boolean().nullable(),
});
export type ReplayProofView = z.infer<typeof ReplayProofView>;

export const PlatformFigures = z.object({
  configured: z.literal(true),
  sampledAt: Instant.nullable().describe('null until the first round has ended'),
  stepSeconds: z.number().describe('time between two values of a history'),
  processes: z.array(PlatformProcessView),
  stages: z.array(PlatformStageView),
  webhook: z.object({
    ackP50Seconds: figure,
    ackP99Seconds: figure,
    signatureFailures: figure,
    windowSeconds: z.number().describe('over how long these three are taken'),
    history: z.object({ ackP99Seconds: series }),
  }),
  parked: z.object({ keys: figure, oldestSeconds: figure }),
  audit: z.object({ height: figure, checkpointAgeSeconds: figure, verifyFailures: figure }),
  replay: z.array(ReplayProofView),
});
export type PlatformFigures = z.infer<typeof PlatformFigures>;

/** Figures of the installation, or that this one shows them elsewhere. No customer data. */
export const PlatformOverview = z.discriminatedUnion('configured', [
  PlatformFigures,
  z.object({ configured: z.literal(false), setting: z.string().describe('the setting of the gateway that switches them on') }),
]);
export type PlatformOverview = z.infer<typeof PlatformOverview>;

export const PlatformParkedKey = ParkedKeyView.extend({ process: ParkingProcess });
export type PlatformParkedKey = z.infer<typeof PlatformParkedKey>;

/** Parked keys of the caller's tenant: the first of every process, or with `process` and `cursor` those that follow. */
export const PlatformParkedQuery = z.object({
  process: ParkingProcess.optional(),
  cursor: Cursor.optional(),
  limit: z.coerce.number().int().min(1).max(100).default(50).describe('of each process'),
});
export const PlatformParkedPage = z.object({
  items: z.array(PlatformParkedKey).describe('oldest first'),
  sources: z.array(
    z.object({
      process: ParkingProcess,
      state: z
        .enum(['ok', 'unavailable', 'no_address'])
        .describe(
          'unavailable: it did not answer, so its keys are missing here; no_address: the gateway does not know where it is',
        ),
      nextCursor: Cursor.nullable(),
    }),
  ),
});
export type PlatformParkedPage = z.infer<typeof PlatformParkedPage>;
export const PlatformParkedParams = z.object({ process: ParkingProcess, key: ParkedHandle });
