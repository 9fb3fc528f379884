import {
  ParkingProcess,
  PlatformFigures,
  PlatformParkedPage,
  PlatformProcesses,
  PlatformStages,
  type PlatformParkedKey,
  type PlatformProcessView,
  type PlatformStage,
} from '@centralita/contracts';
import { at, uuid } from './world.spec.js';

const STEPS = 120;
const wave = (height: number, phase: number): number[] =>
  Array.from({ length: STEPS }, (_, index) => height * (1 + 0.5 * Math.sin(index / 9 + phase) + 0.2 * Math.sin(index / 2.3)));
/** Still, with one peak a while ago. */
const peak = (height: number): number[] => wave(0, 0).map((_, index) => height * Math.exp(-(((index - 70) / 5) ** 2)));

const process = (name: PlatformProcessView['process'], index: number): PlatformProcessView => ({
  process: name,
  instance: null,
  state: 'ready',
  since: at(-7_200_000),
  failing: [],
  problem: null,
  answeredAt: at(-2000),
  version: '0.1.0',
  startedAt: at(-7_260_000),
  eventLoopDelaySeconds: 0.0021 * (index + 1),
  residentBytes: 121_000_000 + 9_000_000 * index,
  lagRecords: name === 'ingest-webhook' || name === 'gateway' ? null : 0,
  lagSeconds: name === 'ingest-webhook' || name === 'gateway' ? null : 0,
  parkedKeys: null,
});
const stage = (name: PlatformStage, index: number): PlatformFigures['stages'][number] => {
  const behind = name === 'webhook' ? null : index;
  return {
    stage: name,
    perSecond: [1.4, 2.3, 3.1, 0.8, 6.4][index] ?? 0,
    lagRecords: behind,
    lagSeconds: behind === null ? null : behind / 4,
    outboxDepth: behind === null ? null : 0,
    outboxAgeSeconds: behind === null ? null : 0,
    history: {
      perSecond: wave([1.4, 2.3, 3.1, 0.8, 6.4][index] ?? 0, index),
      lagSeconds: behind === null ? wave(0, 0).map(() => null) : peak(2 + index),
    },
  };
};

/** Everything runs. */
export const healthy = (): PlatformFigures =>
  PlatformFigures.parse({
    configured: true,
    sampledAt: at(-2000),
    stepSeconds: 15,
    processes: PlatformProcesses.map(process),
    stages: PlatformStages.map(stage),
    webhook: {
      ackP50Seconds: 0.0085,
      ackP99Seconds: 0.041,
      signatureFailures: 0,
      windowSeconds: 300,
      history: { ackP99Seconds: wave(0.03, 1) },
    },
    parked: { keys: 0, oldestSeconds: null },
    audit: { height: 20_852, checkpointAgeSeconds: 3.2, verifyFailures: 0 },
    replay: [
      { of: 'billing', verifiedAt: at(-32_000_000), equal: true },
      { of: 'ledger', verifiedAt: null, equal: null },
    ],
  });

/** Billing is gone, routing waits for its database, and a key is parked. */
export const troubled = (): PlatformFigures => {
  const figures = healthy();
  const change = (name: string, to: Partial<PlatformProcessView>): void => {
    figures.processes = figures.processes.map((each) => (each.process === name ? { ...each, ...to } : each));
  };
  const nothing = { version: null, startedAt: null, eventLoopDelaySeconds: null, residentBytes: null, lagSeconds: null };
  change('billing', { ...nothing, state: 'down', problem: 'REFUSED', since: at(-240_000), answeredAt: at(-241_000) });
  change('routing', { state: 'not_ready', since: at(-90_000), failing: [{ check: 'database', reason: 'no answer' }] });
  figures.stages = figures.stages.map((each) =>
    each.stage === 'billing'
      ? {
          ...each,
          perSecond: null,
          lagSeconds: null,
          lagRecords: 1204,
          outboxAgeSeconds: null,
          history: {
            perSecond: each.history.perSecond.map((value, index) => (index > 103 ? null : value)),
            lagSeconds: each.history.lagSeconds.map((value, index) => (index > 103 ? null : value)),
          },
        }
      : each.stage === 'routing'
        ? { ...each, perSecond: 0, lagRecords: 212, lagSeconds: 91 }
        : each,
  );
  figures.parked = { keys: 1, oldestSeconds: 540 };
  return PlatformFigures.parse(figures);
};

export const PARKED_KEY = uuid(3001);
export const parkedKey = (changes: Partial<PlatformParkedKey> = {}): PlatformParkedKey => ({
  process: 'conversation',
  key: PARKED_KEY,
  group: 'conversation',
  code: 'RECORD_INVALID',
  since: at(-540_000),
  records: 3,
  topics: [{ topic: 'wa.inbound.v1', records: 3 }],
  first: { topic: 'wa.inbound.v1', partition: 3, offset: '1817', eventId: null },
  ...changes,
});
export const parked = (
  items: readonly PlatformParkedKey[],
  state: (process: string) => PlatformParkedPage['sources'][number]['state'] = () => 'ok',
  more: readonly string[] = [],
): PlatformParkedPage =>
  PlatformParkedPage.parse({
    items,
    sources: ParkingProcess.options.map((name) => ({
      process: name,
      state: state(name),
      nextCursor: more.includes(name) ? 'more' : null,
    })),
  });
