import type { PlatformFigures, PlatformProcessView } from '@centralita/contracts';

/** From here on somebody is woken: the same bounds as those of the alerts. In seconds. */
export const bounds = { ack: 0.5, lag: 60, outbox: 60, checkpoint: 60, eventLoop: 0.2 } as const;

/** Something that somebody should look at: the name of its sentence, and what to fill in. */
export type Attention = { readonly what: string; readonly with: Readonly<Record<string, string | number>> };

export const nameOf = ({ process, instance }: Pick<PlatformProcessView, 'process' | 'instance'>): string =>
  instance === null ? process : `${process}/${instance}`;

/** All that is not as it should be, most pressing first. `format` writes a length of time. */
export const attentionOf = (
  { processes, stages, webhook, parked, audit, replay }: PlatformFigures,
  format: (seconds: number) => string,
): readonly Attention[] => {
  const above = (value: number | null, bound: number): value is number => value !== null && value > bound;
  return [
    ...processes.filter(({ state }) => state === 'down').map((each) => ({ what: 'down', with: { process: nameOf(each) } })),
    ...processes
      .filter(({ state }) => state === 'not_ready')
      .map((each) => ({
        what: 'notReady',
        with: { process: nameOf(each), why: each.failing.map(({ check, reason }) => `${check}: ${reason}`).join(', ') },
      })),
    ...(audit.verifyFailures ? [{ what: 'findings', with: { count: audit.verifyFailures } }] : []),
    ...replay.filter(({ equal }) => equal === false).map(({ of }) => ({ what: `proof.${of}`, with: {} })),
    ...(parked.keys ? [{ what: 'parked', with: { count: parked.keys } }] : []),
    ...stages.flatMap(({ stage, lagSeconds, outboxAgeSeconds }) => [
      ...(above(lagSeconds, bounds.lag) ? [{ what: 'lag', with: { stage, time: format(lagSeconds) } }] : []),
      ...(above(outboxAgeSeconds, bounds.outbox) ? [{ what: 'outbox', with: { stage, time: format(outboxAgeSeconds) } }] : []),
    ]),
    ...(above(audit.checkpointAgeSeconds, bounds.checkpoint)
      ? [{ what: 'checkpoint', with: { time: format(audit.checkpointAgeSeconds) } }]
      : []),
    ...(above(webhook.ackP99Seconds, bounds.ack) ? [{ what: 'ack', with: { time: format(webhook.ackP99Seconds) } }] : []),
    ...processes
      .filter(({ eventLoopDelaySeconds }) => above(eventLoopDelaySeconds, bounds.eventLoop))
      .map((each) => ({
        what: 'eventLoop',
        with: { process: nameOf(each), time: format(each.eventLoopDelaySeconds ?? 0) },
      })),
  ];
};
