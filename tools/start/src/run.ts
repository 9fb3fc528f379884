import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { portIsFree } from '@centralita/tool-kafka';
import { bringUp } from './bring-up.js';
import { runChecks } from './checks/run.js';
import type { CheckResult, StartContext } from './context.js';
import { playDay } from './day/play.js';
import type { DayResult } from './day/play.js';
import { knowsUsers, readExternals } from './externals.js';
import type { Flags } from './flags.js';
import { claim, foldersOf, removeData } from './folders.js';
import { keepTraffic } from './observe/traffic.js';
import { OwnEngines } from './own-engines.js';
import { StartProblem } from './problem.js';
import { Supervisor } from './processes.js';
import { Progress } from './progress.js';
import { seedUsers } from './secrets.js';
import { dayPolicy, peoplePolicy } from './seed/policy.js';
import { publishPolicy, seedAll } from './seeding.js';
import { removeGiven } from './stores.js';
import { addresses, checkLines, daySummary, observed, unseeded, waitingTimes } from './summary.js';

export type Run = {
  /** Resolves to the exit code, when everything has been stopped. */
  finished: Promise<number>;
  /** Ends everything at once, without order. */
  kill(): void;
};

class Interrupted extends Error {}

/** `npm start`: up, seed, day, and either the checks or a stay until Ctrl-C; then everything down again, whatever happened. */
export const start = (flags: Flags, signal: AbortSignal): Run => {
  const progress = new Progress();
  const folders = foldersOf(flags.once);
  const supervisor = new Supervisor({ logs: folders.logs, quiet: flags.quiet, print: (line) => progress.line(line) });
  const engines = new OwnEngines(folders, supervisor, (line) => progress.line(line), signal);
  const interrupted = new Promise<never>((_, reject) => {
    const stop = (): void => reject(new Interrupted());
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
  interrupted.catch(() => undefined);
  /** Whatever is under way ends when a process dies or the user has had enough. */
  const orStop = <T>(work: Promise<T>): Promise<T> => Promise.race([work, supervisor.died, interrupted]);

  const run = async (): Promise<number> => {
    const externals = readExternals(process.env);
    if (flags.report !== null && !flags.once)
      throw new StartProblem('--report writes the results of the checks: it needs --once', 64);
    if (flags.observe && flags.once)
      throw new StartProblem('--observe is for watching what goes on, and --once ends: choose one', 64);
    const subjects = seedUsers.map(({ sub }) => sub);
    const canSignIn = externals.oidc === null || (await knowsUsers(externals.oidc.issuer, subjects));
    if (flags.once && !canSignIn) {
      throw new StartProblem(
        '--once signs the seeded users in by script, which only the development provider with these users allows: OIDC_ISSUER is another one',
        64,
      );
    }
    const release = await claim(folders, { fresh: flags.once });
    let up: StartContext | null = null;
    let passed = false;
    const discard = (): boolean => flags.once && passed && !flags.keepData;
    try {
      const context = await orStop(bringUp({ flags, externals, folders, supervisor, engines, progress, signal }));
      up = context;
      if (flags.once) {
        passed = await orStop(checkedDay(context, flags, progress));
        return passed ? 0 : 1;
      }
      if (canSignIn) await orStop(openDay(context, flags, progress));
      else for (const line of unseeded(context)) progress.line(line);
      const watched = flags.observe ? observed(context, canSignIn) : [];
      for (const line of [
        '',
        'Centralita is up.',
        ...addresses(context, canSignIn, flags.observe),
        ...watched,
        '  Ctrl-C stops everything',
        '',
      ])
        progress.line(line);
      if (flags.observe && canSignIn) void keepTraffic(context, (line) => progress.line(`  ${line}`));
      return await orStop(new Promise<never>(() => undefined));
    } catch (error) {
      if (!(error instanceof Interrupted)) throw error;
      return up !== null && !flags.once ? 0 : 130;
    } finally {
      await progress.step('stop', 'stop everything', async () => {
        await supervisor.stop(new Set(['simulator', 'gateway']));
        await supervisor.stop('all');
        if (up !== null && discard()) await removeGiven({ ...up, adminUrl: up.adminDatabaseUrl, externals, folders });
        await engines.stop();
      });
      if (up !== null) await reportLeftPorts(up, progress);
      if (discard()) await removeData(folders);
      else if (flags.once) progress.line(`  data and logs are kept in ${folders.state} until the next --once`);
      await release();
    }
  };
  const kill = (): void => {
    supervisor.kill();
    engines.kill();
  };
  return { finished: run(), kill };
};

const play = async (context: StartContext, progress: Progress): Promise<DayResult> => {
  const day = await progress.step('day', `play a day of ${context.customers} customers (seed ${context.seed})`, () =>
    playDay(context),
  );
  for (const line of ['', ...daySummary(day), '', ...waitingTimes(day), '']) progress.line(line);
  return day;
};

/** For people: the day is played once on this data, then the policy gives them time to answer. */
const openDay = async (context: StartContext, flags: Flags, progress: Progress): Promise<void> => {
  const marker = join(context.folders.state, 'played.json');
  if (existsSync(marker) && !flags.play) {
    await progress.step('seed', 'check the seed', () => seedAll(context, peoplePolicy));
    progress.line('  a day was played on this data before: --play plays another, npm run reset begins with nothing');
    return;
  }
  await progress.step('seed', 'seed two tenants', () => seedAll(context, dayPolicy));
  await play(context, progress);
  await writeFile(marker, JSON.stringify({ seed: flags.seed, customers: flags.customers, at: new Date().toISOString() }));
  await Promise.all(context.seeds.map((tenant) => publishPolicy(context.gatewayUrl, tenant, peoplePolicy)));
};

const checkedDay = async (context: StartContext, flags: Flags, progress: Progress): Promise<boolean> => {
  await progress.step('seed', 'seed two tenants', () => seedAll(context, dayPolicy));
  const day = await play(context, progress);
  const checks: readonly CheckResult[] = await progress.step('checks', 'check what was recorded against what was done', () =>
    runChecks(context, day),
  );
  for (const line of ['', ...checkLines(checks), '']) progress.line(line);
  if (flags.report !== null) {
    await writeFile(flags.report, `${JSON.stringify({ seed: flags.seed, durations: progress.durations, checks }, null, 2)}\n`);
  }
  return checks.length > 0 && checks.every((check) => check.status === 'PASS');
};

/** The promise is that nothing is left behind: it is looked at, not assumed. */
const reportLeftPorts = async (context: StartContext, progress: Progress): Promise<void> => {
  for (const url of [context.gatewayUrl, context.simulatorUrl, context.webhookUrl, ...Object.values(context.metricsUrls)]) {
    const { port } = new URL(url);
    if (!(await portIsFree(Number(port)))) progress.line(`  port ${port} is still in use after the stop`);
  }
};
