import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { PlatformError } from '@centralita/contracts';
import { partitionOf } from '@centralita/event-log';
import { Command } from 'commander';
import type { Io, Outcome } from '../../io.js';
import { DIFFERENT, DONE } from '../exit-codes.js';
import { addressesOf, ask, samplesOf } from '../http.js';
import { operationRecord, withLog } from '../log.js';
import { wholeNumber } from '../whole-number.js';
import { operation, type Answer } from '../operation.js';

type Check = { readonly name: string; readonly problem: string | null };

const answerOf = (checks: readonly Check[]): Answer => {
  const failed = checks.some(({ problem }) => problem !== null);
  return {
    exitCode: failed ? DIFFERENT : DONE,
    json: { checks },
    lines: [...checks.map(({ name, problem }) => `${name}: ${problem ?? 'OK'}`), `result: ${failed ? 'FAILED' : 'OK'}`],
  };
};

const required = (io: Io, ending: '_URL' | '_HEALTH_URL'): { readonly name: string; readonly url: string }[] => {
  const found = addressesOf(io, ending);
  if (found.length === 0)
    throw new PlatformError('CONFIGURATION_INVALID', `SELFTEST_<NAME>${ending} is required, one for each process`);
  return found;
};

/** Behind the gateway every service has this route, for operators alone. */
const CLOSED_ROUTE = '/v1/operations/parked';
const BEHIND_GATEWAY = new Set(['ingest-media', 'ingest-sender', 'conversation', 'routing', 'billing', 'audit-log']);
const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
/** Well formed, in time, and signed by nobody. */
const FORGED = `${part({ alg: 'none', typ: 'at+jwt' })}.${part({ sub: randomUUID(), exp: 4_102_444_800, roles: ['platform'], scope: 'operations' })}.`;

const authorizationChecks = async (io: Io, { name, url }: { name: string; url: string }): Promise<Check[]> => {
  const behind = BEHIND_GATEWAY.has(name);
  const allowed = behind ? [401] : [401, 403, 404];
  const path = behind ? CLOSED_ROUTE : '/api/v1/platform/overview';
  const tries = [
    ['without a token', {}],
    ['with a forged token', { authorization: `Bearer ${FORGED}` }],
  ] as const;
  return Promise.all(
    tries.map(async ([how, headers]) => {
      const { status } = await ask(io, `${url}${path}`, { headers });
      return {
        name: `${name} ${how}`,
        problem: allowed.includes(status) ? null : `answers ${status}, expected ${allowed.join(' or ')}`,
      };
    }),
  );
};

/** Process that projects self-tests, and the metric by which it tells what its tables hold. */
const PROJECTED = { by: 'audit-log', metric: 'selftest_projected_timestamp_seconds' } as const;
/** A consumer that has just started waits for its group first. */
const PROJECTED_WITHIN_SECONDS = 60;
const LOOK_EVERY_MS = 250;

/** Waits until the process has applied what was appended at `at`; without its address there is nothing to look at. */
const projectionCheck = async (io: Io, at: Date, withinSeconds: number): Promise<Check> => {
  const address = addressesOf(io, '_HEALTH_URL').find(({ name }) => name === PROJECTED.by);
  if (!address) return { name: `tables of ${PROJECTED.by} (not looked at: no SELFTEST_AUDIT_LOG_HEALTH_URL)`, problem: null };
  const started = performance.now();
  const elapsed = (): number => performance.now() - started;
  do {
    const { text } = await ask(io, `${address.url}/metrics`);
    if (samplesOf(text, PROJECTED.metric).some(({ value }) => value >= at.getTime() / 1000))
      return { name: `in the tables of ${PROJECTED.by} after ${elapsed().toFixed(0)} ms more`, problem: null };
    await sleep(LOOK_EVERY_MS);
  } while (elapsed() < withinSeconds * 1000);
  const problem = `not there after ${withinSeconds} s; see its lag with \`centralita ops lag\``;
  return { name: `in the tables of ${PROJECTED.by}`, problem };
};

const roundtrip = (io: Io, withinSeconds: number): Promise<Answer> =>
  withLog(io, 'selftest', async ({ log, principal }) => {
    const started = performance.now();
    const now = new Date();
    const record = operationRecord('selftest.ran.v1', { runId: randomUUID(), principal, at: now.toISOString() }, now);
    const [topic] = await log.admin.describeTopics([record.topic]);
    const partition = partitionOf(record.key ?? '', topic?.partitions ?? 1);
    await log.append([record]);
    const found = await log.lastRecord(
      record.topic,
      partition,
      ({ value }) => record.value !== null && value?.equals(record.value) === true,
    );
    const onLog: Check = {
      name: `on the log with every byte after ${(performance.now() - started).toFixed(0)} ms`,
      problem: found ? null : 'what was acknowledged is not there',
    };
    return answerOf(found ? [onLog, await projectionCheck(io, now, withinSeconds)] : [onLog]);
  });

/** `ops selftest health|schema|roundtrip|authz`: what `helm test` runs, each as a Job. */
export const selftestCommand = (io: Io, outcome: Outcome): Command => {
  const selftest = new Command('selftest').description(
    'try an installation out; addresses are SELFTEST_<NAME>_URL and SELFTEST_<NAME>_HEALTH_URL',
  );
  selftest.addCommand(
    operation(io, outcome, 'health', 'every process lives and is ready', async () =>
      answerOf(
        await Promise.all(
          required(io, '_HEALTH_URL').map(async ({ name, url }) => {
            for (const probe of ['live', 'ready']) {
              const { status, text } = await ask(io, `${url}/health/${probe}`);
              if (status !== 200) return { name, problem: `not ${probe}: ${text.slice(0, 400).trim()}` };
            }
            return { name, problem: null };
          }),
        ),
      ),
    ),
  );
  selftest.addCommand(
    operation(io, outcome, 'schema', 'every database has the schema that its process needs', async () =>
      answerOf(
        await Promise.all(
          required(io, '_HEALTH_URL').map(async ({ name, url }) => {
            const { text } = await ask(io, `${url}/metrics`);
            const wrong = samplesOf(text, 'schema_skew').filter(({ value }) => value !== 0);
            const say = ({ value }: { value: number }): string =>
              value > 0 ? `the database lacks ${value} migrations` : 'the database is newer and refuses this build';
            return { name, problem: wrong.length === 0 ? null : wrong.map(say).join('; ') };
          }),
        ),
      ),
    ),
  );
  selftest.addCommand(
    operation(io, outcome, 'roundtrip', 'an event is appended, found on the log, and projected by a service', async (command) =>
      roundtrip(io, command.opts<{ within: number }>().within),
    ).option('--within <seconds>', 'longest wait for the service', wholeNumber, PROJECTED_WITHIN_SECONDS),
  );
  selftest.addCommand(
    operation(io, outcome, 'authz', 'nobody gets in without a token, or with one that the gateway has not signed', async () =>
      answerOf((await Promise.all(required(io, '_URL').map((address) => authorizationChecks(io, address)))).flat()),
    ),
  );
  return selftest;
};
