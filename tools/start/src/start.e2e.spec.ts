import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Topics } from '@centralita/contracts';
import { openEventLog } from '@centralita/event-log';
import { freePort, removePostgres, startKafka, startPostgres } from '@centralita/testing-engines';
import type { RunningKafka, RunningPostgres } from '@centralita/testing-engines';
import { startIdentity } from '@centralita/testing-engines/identity';
import type { RunningIdentity } from '@centralita/testing-engines/identity';
import { databaseMarks } from './databases.js';
import { foldersOf, projectRoot } from './folders.js';
import { seedUsers } from './secrets.js';
import { startCollector } from './trace-collector.spec.js';
import type { CollectedSpan } from './trace-collector.spec.js';

type Report = { seed: number; checks: { id: number; name: string; status: string; figures: Record<string, unknown> }[] };
type Ended = { code: number | null; output: string };

/** Runs the built launcher; of this run's variables only `given` ones reach it. SIGINT is sent when a line has `interruptAt`. */
const start = (args: readonly string[], given: Record<string, string> = {}, interruptAt?: string): Promise<Ended> =>
  new Promise((resolve, reject) => {
    const { KAFKA_BROKERS: _brokers, TEST_DATABASE_URL: _database, NODE_OPTIONS: _options, ...env } = process.env;
    const child = spawn(process.execPath, [join(projectRoot, 'tools/start/dist/main.js'), ...args], {
      cwd: projectRoot,
      env: { ...env, ...given },
    });
    let output = '';
    let interrupted = false;
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => {
        output += chunk.toString();
        if (interruptAt === undefined || interrupted || !output.includes(interruptAt)) return;
        interrupted = true;
        child.kill('SIGINT');
      });
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, output }));
  });

const allPassed = Array.from({ length: 10 }, (_, index) => `${index + 1} PASS`);

/** Plays and checks a small day; gives what was printed. */
const checkedDay = async (args: readonly string[], given: Record<string, string> = {}): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), 'centralita-report-'));
  try {
    const report = join(folder, 'report.json');
    const { code, output } = await start(['--once', '--quiet', '--seed', '11', '--report', report, ...args], given);
    if (code !== 0) throw new Error(`exit code ${code}\n${output.split('\n').slice(-60).join('\n')}`);
    const { seed, checks } = JSON.parse(await readFile(report, 'utf8')) as Report;
    expect(seed).toBe(11);
    expect(checks.map(({ id, status }) => `${id} ${status}`)).toEqual(allPassed);
    return output;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};

describe('npm start -- --once', () => {
  it('plays a small day through all processes, and every check holds', async () => {
    await checkedDay(['--customers', '24']);
  }, 600_000);
});

describe('npm start -- --once on engines that are given', () => {
  let folder: string;
  let kafka: RunningKafka;
  let postgres: RunningPostgres;
  let identity: RunningIdentity;
  let collector: Awaited<ReturnType<typeof startCollector>>;
  let given: Record<string, string>;
  let output: string;
  const stops: (() => Promise<unknown>)[] = [];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'centralita-given-'));
    await chmod(folder, 0o755);
    [kafka, postgres] = await Promise.all([
      startKafka({ dataDir: join(folder, 'kafka') }).then((running) => (stops.push(() => running.stop()), running)),
      startPostgres({ dataDir: join(folder, 'postgres'), durable: false, maxConnections: 300 }).then(
        (running) => (stops.push(() => running.stop()), running),
      ),
    ]);
    const port = await freePort();
    identity = await startIdentity({
      users: seedUsers,
      redirectUris: [`http://127.0.0.1:${port}/auth/callback`],
      clientSecret: 'given',
    });
    stops.push(() => identity.stop());
    collector = await startCollector();
    stops.push(() => collector.stop());
    given = {
      KAFKA_BROKERS: kafka.brokers.join(','),
      DATABASE_URL: postgres.url,
      OIDC_ISSUER: identity.issuer,
      OIDC_CLIENT_ID: identity.clientId,
      OIDC_CLIENT_SECRET: 'given',
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint,
      GATEWAY_PORT: String(port),
    };
  }, 60_000);
  afterAll(async () => {
    await Promise.all(stops.map((stop) => stop()));
    await removePostgres(join(folder, 'postgres'));
    await rm(folder, { recursive: true, force: true });
  });

  it('stops at Ctrl-C, and keeps what it has made until the next run', async () => {
    const ended = await start(['--once', '--quiet', '--customers', '10'], given, '✓ migrate databases');
    expect([ended.code, ended.output]).toEqual([130, expect.stringContaining('✓ stop everything')]);
    const marks = await databaseMarks(postgres.url);
    expect([...marks.values()].map((mark) => mark?.split(' ')[0])).toEqual(Array.from({ length: 7 }, () => 'centralita'));
  }, 120_000);

  it('plays and checks a day on them, and starts nothing of its own', async () => {
    output = await checkedDay(['--customers', '10'], given);
    expect(output).toContain('use the given Kafka and Postgres');
    expect(existsSync(foldersOf(true).kafka)).toBe(false);
  }, 600_000);

  it('leaves them as they were', async () => {
    expect(await databaseMarks(postgres.url)).toEqual(new Map());
    const log = await openEventLog({ brokers: kafka.brokers, clientId: 'spec' });
    try {
      expect(await log.admin.describeTopics(Topics)).toEqual([]);
    } finally {
      await log.close();
    }
  });

  /** The first trace that has all these spans. */
  const traceWith = (steps: readonly (readonly [service: string, span: string])[]): CollectedSpan[] => {
    const traces = [...Map.groupBy(collector.spans, ({ traceId }) => traceId).values()];
    const found = traces.find((spans) =>
      steps.every(([service, name]) => spans.some((span) => span.service === `centralita-${service}` && span.name === name)),
    );
    if (found !== undefined) return found;
    const seen = new Set(collector.spans.map(({ service, name }) => `${service}: ${name}`));
    throw new Error(`no trace has all of ${JSON.stringify(steps)}; spans seen:\n${[...seen].sort().join('\n')}`);
  };

  it('shows in one trace where a message went, from the webhook through Kafka to routing and back', async () => {
    const trace = traceWith([
      ['ingest-webhook', 'POST /webhooks/:app'],
      ['ingest-webhook', 'send wa.inbound.v1'],
      ['conversation', 'process wa.inbound.v1'],
      ['routing', 'process conversation.events.v1'],
      // What the writer has decided later, of an input that was handed over.
      ['conversation', 'process routing.events.v1'],
    ]);
    const ids = new Set(trace.map(({ spanId }) => spanId));
    const roots = trace.filter(({ parentSpanId }) => !parentSpanId);
    expect(roots.map(({ name }) => name)).toEqual(['POST /webhooks/:app']);
    expect(trace.filter(({ parentSpanId }) => parentSpanId && !ids.has(parentSpanId))).toEqual([]);
  });

  it('shows in one trace who looked, from the gateway to the leaf in the ledger', () => {
    const trace = traceWith([
      ['gateway', 'GET /api/*'],
      ['conversation', 'GET /v1/conversations/:id'],
      ['audit-log', 'process access.events.v1'],
      ['audit-log', 'sequence leaf'],
    ]);
    expect(trace.filter(({ parentSpanId }) => !parentSpanId).map(({ service }) => service)).toEqual(['centralita-gateway']);
  });

  it('leads from a delivery of the webhook to the leaf of who saw it: the look is linked to the trace of the message', () => {
    const traces = Map.groupBy(collector.spans, ({ traceId }) => traceId);
    const has = (traceId: string, service: string, name: string): boolean =>
      (traces.get(traceId) ?? []).some((span) => span.service === `centralita-${service}` && span.name === name);
    const looks = collector.spans.filter(({ name }) => name === 'GET /v1/conversations/:id/messages');
    const led = looks.filter(
      ({ traceId, links }) =>
        has(traceId, 'audit-log', 'sequence leaf') &&
        links.some((link) => has(link.traceId, 'ingest-webhook', 'POST /webhooks/:app')),
    );
    expect(looks.length).toBeGreaterThan(0);
    expect(led.length).toBeGreaterThan(0);
  });

  it('puts nothing personal into traces: methods, routes, topics and codes', () => {
    const attributes = new Set(collector.spans.flatMap((span) => Object.keys(span.attributes)));
    expect([...attributes].sort()).toEqual([
      'http.request.method',
      'http.response.status_code',
      'http.route',
      'messaging.batch.message_count',
      'messaging.consumer.group.name',
      'messaging.destination.name',
      'messaging.destination.partition.id',
      'messaging.kafka.offset',
      'messaging.operation.type',
      'messaging.system',
    ]);
    const texts = collector.spans.flatMap(({ name, attributes: { 'http.route': route = '' }, status }) => [
      name,
      route,
      status?.message ?? '',
    ]);
    // An id or a telephone number has digits in a row; a route, a topic and a code have none.
    expect(texts.filter((text) => /\d{3}|[0-9a-f]{8}-/.test(text))).toEqual([]);
  });
});
