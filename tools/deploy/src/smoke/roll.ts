import { until } from '@centralita/testing-engines';
import type { Cluster, Version } from './cluster/cluster.js';
import type { Ended, Pod } from './cluster/pod.js';
import type { Workload } from './cluster/workloads.js';
import type { Verdicts } from './verdicts.js';

/** How many events of conversations, at least, both releases see together. */
const TOGETHER = 3;

export const saysHowItEnded = ({ code, drainedMs, graceMs, killed, outOfMemory }: Ended): string =>
  `exit ${code} ${(drainedMs / 1000).toFixed(1)} s after SIGTERM, of ${graceMs / 1000} s${killed ? ', killed' : ''}${outOfMemory ? ', out of memory' : ''}`;

export const endedWell = (ends: readonly Ended[]): boolean =>
  ends.every(({ code, killed, outOfMemory }) => code === 0 && !killed && !outOfMemory);

/**
 * Replaces the pod of a workload while the day goes on: the new one becomes ready beside the old one, both work for a while, and the old
 * one is stopped as a kubelet stops it. Gives the new pod.
 */
export const roll = async (
  cluster: Cluster,
  workload: Workload,
  old: Pod,
  version: Version,
  day: { readonly events: () => Promise<number>; readonly over: () => boolean },
  verdicts: Verdicts,
): Promise<Pod> => {
  const next = await cluster.start(workload, version);
  await next.untilReady();
  const together = await day.events();
  await until(async () => day.over() || (await day.events()) >= together + TOGETHER, {
    timeoutMs: 120_000,
    describe: `${TOGETHER} events while both releases of ${workload.name} work`,
  });
  const before = await day.events();
  const ends = await old.stop();
  const after = await day.events();
  verdicts.check(
    `${workload.name} is replaced in mid-traffic, ${version.name} beside its predecessor, and drains within its grace period`,
    endedWell(ends) && !day.over(),
    [
      ...ends.map(saysHowItEnded),
      `healthy in ${((next.healthyMs ?? Number.NaN) / 1000).toFixed(1)} s`,
      day.over() ? 'THE DAY WAS OVER BEFORE' : `${before - together} events together, ${after - before} while it stopped`,
    ].join(', '),
  );
  return next;
};
