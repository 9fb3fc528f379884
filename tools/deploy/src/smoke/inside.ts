import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { removePostgres } from '@centralita/testing-engines';
import { collectHistory, countEvents, instrument, replaysOf, report } from '@centralita/tool-faults';
import {
  caughtUp,
  claim,
  dayPolicy,
  Facts,
  foldersIn,
  playDay,
  prepareSecrets,
  projectRoot,
  runChecks,
  seedAll,
  Supervisor,
  tenantsOf,
  tenants,
  untilSettled,
  type StartContext,
} from '@centralita/tool-start';
import { render } from '../helm/render.js';
import { Cluster, type Version } from './cluster/cluster.js';
import type { Pod } from './cluster/pod.js';
import { Store } from './cluster/store.js';
import { cronJobsOf, deploymentsOf, jobsOf, testsOf, type Workload } from './cluster/workloads.js';
import { Containers, deployState } from './containers.js';
import type { App } from './images.js';
import { inspectPod, timeToHealthy } from './inspect.js';
import { hostEnvironment, olderEnvironment } from './older.js';
import { startEngines, startNeighbours } from './outside.js';
import { endedWell, roll, saysHowItEnded } from './roll.js';
import { chartSecrets, outside, ports, release, smokeValues } from './values.js';
import { Verdicts } from './verdicts.js';

/** What the program outside of the namespace has prepared. */
export type Plan = {
  readonly seed: number;
  readonly customers: number;
  readonly arrivalMs: number;
  /** False: only the Jobs, and how soon each workload is healthy. */
  readonly day: boolean;
  readonly images: Readonly<Record<App, string>>;
  /** Images of the release before; null to begin with this one. */
  readonly previous: Readonly<Record<App, string>> | null;
  readonly previousName: string;
  /** What was looked at before. */
  readonly counted: { readonly passed: number; readonly failed: number };
};

const print = (line: string): void => void process.stdout.write(`${line}\n`);

/** `localhost/centralita/<app>:<tag>` of the chart to what was built for it. */
const imagesOf =
  (built: Readonly<Record<App, string>>) =>
  (rendered: string): string => {
    const app = /^localhost\/centralita\/([a-z-]+):/.exec(rendered)?.[1] as App | undefined;
    const image = app && built[app];
    if (!image) throw new Error(`the chart names the image ${rendered}, which the test has not built`);
    return image;
  };

const appOf = (workload: Workload): string => /([a-z-]+):/.exec(workload.pods.spec.containers[0]?.image ?? '')?.[1] ?? '';

const play = async (plan: Plan, signal: AbortSignal): Promise<Verdicts> => {
  const verdicts = new Verdicts(print);
  verdicts.add(plan.counted);
  const containers = await Containers.open();
  const folders = foldersIn(join(deployState, 'run-data'));
  const releaseFolder = await claim(folders, { fresh: true });
  const supervisor = new Supervisor({ logs: folders.logs, quiet: true, print });
  const interrupted = new Promise<never>((_, reject) => {
    if (signal.aborted) reject(new Error('interrupted'));
    signal.addEventListener('abort', () => reject(new Error('interrupted')), { once: true });
  });
  interrupted.catch(() => undefined);
  const undo: (() => Promise<unknown> | void)[] = [];
  const orStop = <T>(work: Promise<T>): Promise<T> => Promise.race([work, supervisor.died, interrupted]);
  try {
    await orStop(platform(plan, verdicts, { containers, folders, supervisor, signal, undo }));
  } catch (error) {
    verdicts.check('the test comes to its end', false, error instanceof Error ? (error.stack ?? error.message) : String(error));
  } finally {
    for (const step of undo.reverse()) await Promise.resolve(step()).catch((error: unknown) => print(String(error)));
    await containers.removeAll();
    await releaseFolder();
    if (verdicts.failed === 0 && !signal.aborted) {
      await removePostgres(folders.postgres);
      await rm(folders.state, { recursive: true, force: true });
    } else print(`data and logs are kept in ${folders.state} until the next run`);
  }
  return verdicts;
};

type Means = {
  readonly containers: Containers;
  readonly folders: ReturnType<typeof foldersIn>;
  readonly supervisor: Supervisor;
  readonly signal: AbortSignal;
  /** What is to be taken down, in the order in which it came up. */
  readonly undo: (() => Promise<unknown> | void)[];
};

const platform = async (plan: Plan, verdicts: Verdicts, means: Means): Promise<void> => {
  const { containers, folders, supervisor, undo } = means;
  const { secrets, files } = await prepareSecrets(folders.secrets);
  let rolling = true;
  const engines = await startEngines(folders, secrets, supervisor);
  undo.push(() => engines.stop());
  print(`Kafka and Postgres run; pods reach them as kafka:${ports.kafka} and postgres:${engines.postgres.port}`);

  const manifests = render({
    release: release.name,
    namespace: release.namespace,
    apis: [],
    values: smokeValues(engines.postgres.port, 'this'),
  });
  const store = new Store(manifests, chartSecrets(secrets, files));
  const cluster = new Cluster(manifests, release.namespace, {
    containers,
    store,
    folder: join(folders.state, 'kubelet'),
    logs: folders.logs,
    hosts: new Map(Object.entries(outside)),
  });
  await cluster.open();
  undo.push(() => cluster.close());
  const serviceOf = (name: string): string => `${release.name}-centralita-${name}`;
  await cluster.expose(ports.gateway, serviceOf('gateway'));
  await cluster.expose(ports.webhook, serviceOf('ingest-webhook'));
  const neighbours = await startNeighbours(supervisor, files, secrets, plan.seed);
  undo.push(() => neighbours.forEach((one) => one.close()));
  undo.push(async () => {
    await supervisor.stop('all');
  });

  const now: Version = { name: 'n', image: imagesOf(plan.images) };
  const before: Version | null = plan.previous && {
    name: 'previous',
    image: imagesOf(plan.previous),
    adjust: olderEnvironment,
  };

  const jobs = jobsOf(manifests);
  for (const name of ['migrate', 'topics']) {
    const job = jobs.find((one) => one.name === name);
    await verdicts.attempt(`the Job ${name} ends well`, async () => {
      if (!job) throw new Error(`not rendered; there are ${jobs.map((one) => one.name).join(', ')}`);
      const started = performance.now();
      const pod = await cluster.run(job, now);
      return `${pod.plan.spec.containers.length + (pod.plan.spec.initContainers?.length ?? 0)} containers, ${((performance.now() - started) / 1000).toFixed(1)} s`;
    });
  }

  const runJobs = async (list: readonly Workload[]): Promise<void> => {
    for (const job of list)
      await verdicts.attempt(`the Job ${job.pods.owner.metadata.name} ends well`, async () => void (await cluster.run(job, now)));
  };
  const workloads = deploymentsOf(manifests);
  if (!plan.day) {
    for (const workload of workloads) await timeToHealthy(cluster, workload, now, verdicts);
    await runJobs(cronJobsOf(manifests));
    return;
  }
  const running = new Map<string, Pod>();
  // The exporter of lag is new: there is no release of it before this one.
  const first = (workload: Workload): Version => (before && appOf(workload) !== 'cli' ? before : now);
  for (const workload of workloads) running.set(workload.name, await cluster.start(workload, first(workload)));
  await Promise.all([...running.values()].map((pod) => pod.untilReady()));
  print(
    `${running.size} workloads are ready${before ? `, with the images of ${plan.previousName} on the schema of this tree` : ''}`,
  );

  // Customers come slowly while workloads are replaced, so that all of that is in mid-traffic, and as fast as they can afterwards.
  const arrivalMs = (): number => (rolling ? plan.arrivalMs : 0);
  const context = contextOf(plan, arrivalMs, running, workloads, { ...means, engines, secrets, files });
  await seedAll(context, dayPolicy);
  await instrument(context);
  let over = false;
  const playing = playDay(context).finally(() => (over = true));
  playing.catch(() => undefined);
  const events = (): Promise<number> => countEvents(context, 'conversation');
  for (const workload of workloads) {
    const old = running.get(workload.name);
    if (!old) continue;
    const next = await roll(cluster, workload, old, now, { events, over: () => over }, verdicts);
    running.set(workload.name, next);
  }
  rolling = false;
  const day = await playing;
  print(`the day is over: ${day.sent.length} bursts written, ${day.workedSeconds.toFixed(0)} s`);

  for (const { id, name, status, figures } of await runChecks(context, day))
    verdicts.check(`check ${id} of the day: ${name}`, status === 'PASS', status === 'PASS' ? '' : JSON.stringify(figures));
  const replayed = await replaysOf(context, day);
  await untilSettled(context);
  const facts = await Facts.gather(context, day);
  const history = await collectHistory(facts, 'deploy', replayed).finally(() => facts.close());
  verdicts.add(report(history, print));

  for (const workload of workloads) {
    const pod = running.get(workload.name);
    if (pod) await inspectPod(pod, workload.name, verdicts);
  }
  await runJobs([...testsOf(manifests), ...cronJobsOf(manifests)]);
  const failures = cluster.pods.flatMap((pod) => pod.livenessFailures);
  verdicts.check('no liveness probe would have restarted a container', failures.length === 0, failures.join('; '));

  const stopped = await Promise.all([...running].map(async ([name, pod]) => ({ name, ends: await pod.stop() })));
  for (const { name, ends } of stopped)
    verdicts.check(`${name} drains at the end within its grace period`, endedWell(ends), ends.map(saysHowItEnded).join(', '));
  for (const workload of workloads) await timeToHealthy(cluster, workload, now, verdicts);
};

type Rest = Means & {
  readonly engines: Awaited<ReturnType<typeof startEngines>>;
  readonly secrets: Awaited<ReturnType<typeof prepareSecrets>>['secrets'];
  readonly files: Awaited<ReturnType<typeof prepareSecrets>>['files'];
};

/** What the day, its checks and the collector of the history know of a platform. */
const contextOf = (
  plan: Plan,
  arrivalMs: () => number,
  running: ReadonlyMap<string, Pod>,
  workloads: readonly Workload[],
  { engines, secrets, files, folders, signal }: Rest,
): StartContext => {
  const { databases } = engines;
  const context: StartContext = {
    seed: plan.seed,
    customers: plan.customers,
    get arrivalMs() {
      return arrivalMs();
    },
    patience: 60,
    gatewayUrl: `http://127.0.0.1:${ports.gateway}`,
    simulatorUrl: `http://127.0.0.1:${ports.simulator}`,
    identityUrl: `http://127.0.0.1:${ports.identity}`,
    webhookUrl: `http://127.0.0.1:${ports.webhook}/webhooks`,
    get metricsUrls() {
      return Object.fromEntries([...running].map(([name, pod]) => [name, `http://${pod.ip}:${pod.portOf('metrics')}/metrics`]));
    },
    ...tenantsOf(tenants),
    brokers: engines.kafka.brokers,
    databases,
    adminDatabaseUrl: engines.postgres.url,
    keyring: { databaseUrl: databases.keyring.appUrl, masterKey: Buffer.from(secrets.keyringMasterKey, 'base64') },
    files,
    folders,
    // For checks that run a service's program once more, on this machine: with what its pod was given.
    service: (name) => {
      const pod = running.get(name);
      const [container] = pod?.plan.spec.containers ?? [];
      if (!pod || !container) throw new RangeError(`there is no service ${name}: ${workloads.map((one) => one.name).join(', ')}`);
      return {
        script: join(projectRoot, 'apps', name, 'dist/main.js'),
        env: hostEnvironment(pod.environmentOf(container.name), (path) => pod.fileOf(container, path)),
      };
    },
    caughtUp: () => caughtUp(context).catch(() => false),
    progress: (text) => print(`  ${text}`),
    signal,
  };
  return context;
};

/** Run in the namespace. The end of its input asks it to stop. */
export const runInside = async (planFile: string): Promise<number> => {
  const plan = JSON.parse(await readFile(planFile, 'utf8')) as Plan;
  const abort = new AbortController();
  process.stdin.on('end', () => abort.abort());
  process.stdin.on('error', () => abort.abort());
  process.stdin.resume();
  const verdicts = await play(plan, abort.signal);
  print(`${verdicts.passed} passed, ${verdicts.failed} failed`);
  return verdicts.failed === 0 && verdicts.passed > 0 ? 0 : 1;
};
