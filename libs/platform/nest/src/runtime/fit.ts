import { topicProblems, type EventLog } from '@centralita/event-log';
import { Keyring } from '@centralita/keyring';
import type { KeyProviderConnection } from '../key-provider.js';
import { keyringMetrics, type Metrics } from '../metrics.js';
import type { DrainController } from './drain.js';
import { sentenceOf, type Surroundings } from './surroundings.js';

type Log = Pick<EventLog, 'admin'>;

/** Waits until the log answers. */
export const untilLogFits = (surroundings: Surroundings, log: Log): Promise<void> =>
  surroundings.until(
    'log',
    async () => {
      try {
        await log.admin.clusterId();
        return null;
      } catch (error) {
        return sentenceOf('the log does not answer', error);
      }
    },
    'the log has not answered yet',
  );

/** Waits until these topics are there, keep everything, and have the partitions that they were made with. Nothing is changed. */
export const untilTopicsFit = (
  surroundings: Surroundings,
  log: Log,
  names: readonly string[],
  partitions: number | undefined,
): Promise<void> =>
  surroundings.until('topics', async () => {
    try {
      const problems = await topicProblems(log.admin, names, partitions);
      return problems.length === 0 ? null : `topics are not what this release works on: ${problems.join('; ')}`;
    } catch (error) {
      return sentenceOf('the topics cannot be looked at', error);
    }
  });

type OpenKeyring = {
  readonly databaseUrl: string;
  readonly provider: KeyProviderConnection;
  readonly surroundings: Surroundings;
  readonly metrics: Pick<Metrics, 'kmsErrors'>;
  readonly drain: DrainController;
};

/** Opens the keyring and waits until its database and its key provider let this process in. */
export const openKeyring = async ({ databaseUrl, provider, surroundings, metrics, drain }: OpenKeyring): Promise<Keyring> => {
  const counted = keyringMetrics(metrics);
  if ('missing' in provider)
    await surroundings.until('keyring', async () => {
      counted.failed?.({ operation: 'check', code: 'KEY_UNAVAILABLE' });
      return provider.missing;
    });
  if ('missing' in provider) throw new TypeError('nothing but the end of the process ends that wait');
  const keyring = await Keyring.open({ databaseUrl, provider: provider.open(), metrics: counted });
  drain.add('close', 'keyring', () => keyring.close());
  await surroundings.until('keyring', () => keyring.problem());
  return keyring;
};
