import { until } from '@centralita/testing-engines';
import { PATIENCE_MS } from './watch.js';
import type { Fleet } from './fleet.js';

type Report = { readonly status: number; readonly failing: Readonly<Record<string, string>> };

const ask = async (url: string): Promise<{ status: number; text: string } | null> =>
  fetch(url, { signal: AbortSignal.timeout(2_000) })
    .then(async (response) => ({ status: response.status, text: await response.text() }))
    .catch(() => null);

const readiness = async (readyUrl: string): Promise<Report | null> => {
  const answer = await ask(readyUrl);
  return answer && { status: answer.status, failing: (JSON.parse(answer.text) as { failing: Report['failing'] }).failing };
};

/**
 * Waits until a process says in all three ways that it stays closed for this reason: it is not ready and names the reason, it has counted
 * an alarm, and it has logged it. Its API must not even listen.
 */
export const untilClosed = async (fleet: Fleet, role: string, code: string): Promise<void> => {
  const { readyUrl, env } = fleet.specOf(role);
  const since = fleet.linesOf(role);
  let last: Report | null = null;
  await until(
    async () => {
      last = await readiness(readyUrl);
      return last?.failing['history'] === code;
    },
    {
      timeoutMs: PATIENCE_MS,
      describe: () =>
        `${role} to refuse with ${code}; it says ${JSON.stringify(last)}; its last lines:\n${fleet.linesOf(role).slice(-10).join('\n')}`,
    },
  );
  const metrics = (await ask(readyUrl.replace('/health/ready', '/metrics')))?.text ?? '';
  const alarm = metrics.split('\n').find((line) => line.startsWith('alarms_total{') && line.includes(`code="${code}"`));
  if (alarm === undefined || Number(alarm.split(' ').at(-1)) < 1) throw new Error(`${role} has counted no alarm ${code}`);
  if (!since.some((line) => line.includes('closed: database and log do not belong together') && line.includes(code)))
    throw new Error(`${role} has logged no ${code}`);
  if ((await ask(`http://127.0.0.1:${env['HTTP_PORT']}/`)) !== null) throw new Error(`${role} is closed and answers requests`);
};

/** Those of the processes that are not ready, with what they say. */
export const notReady = async (fleet: Fleet, roles: readonly string[]): Promise<readonly string[]> => {
  const reports = await Promise.all(roles.map(async (role) => ({ role, report: await readiness(fleet.specOf(role).readyUrl) })));
  return reports.flatMap(({ role, report }) => (report?.status === 200 ? [] : [`${role}: ${JSON.stringify(report)}`]));
};
