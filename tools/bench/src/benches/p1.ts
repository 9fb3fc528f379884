// The webhook process as it is deployed, from the bytes of a delivery to its answer, against a bare one that writes records of the same
// content. The server is alone on its core; Kafka, Postgres and the load share the others.
import { createSecretKey, randomBytes, type KeyObject } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openEventLog, topicSpecs, type EventLog } from '@centralita/event-log';
import { createDatabase, freePorts, until } from '@centralita/testing-engines';
import { makeWamid, signBody } from '@centralita/whatsapp';
import type { Bench, Case, Ground, Side, Work } from '../bench.js';
import { pin } from '../harness/machine.js';
import { runProgram, showComplaints, startProgram } from './child.js';
import { migrateKeyring } from './keyring.js';
import { Load, type Delivery } from './load.js';
import { TENANT, WABA } from './records.js';

const SECRET = 'bench-app-secret';
const NUMBER = '106540352242922';
/** Customers that write again and again; a warm-up round has introduced all of them. */
const CUSTOMERS = 2_000;
const BARE_TOPIC = 'bench.bare.v1';

const program = (path: string): string => fileURLToPath(new URL(`../../../../${path}`, import.meta.url));

let written = 0;
const message = (): Record<string, unknown> => {
  const from = `34600${String(written++ % CUSTOMERS).padStart(6, '0')}`;
  return {
    field: 'messages',
    value: {
      messaging_product: 'whatsapp',
      metadata: { display_phone_number: '34910000001', phone_number_id: NUMBER },
      contacts: [{ profile: { name: `Customer ${from}` }, wa_id: from, user_id: `ES.${from}` }],
      messages: [
        {
          id: makeWamid(from, randomBytes(16)),
          from,
          from_user_id: `ES.${from}`,
          timestamp: String(Math.floor(Date.now() / 1_000)),
          type: 'text',
          text: { body: 'Good morning, is the room with the balcony still free for two nights from Friday? Thank you 👋' },
        },
      ],
    },
  };
};

const delivery = (items: number, secret: KeyObject): Delivery => {
  const changes = Array.from({ length: items }, message);
  const body = Buffer.from(JSON.stringify({ object: 'whatsapp_business_account', entry: [{ id: WABA, changes }] }));
  return { body, signature: signBody(body, secret), items };
};

/** Ids on a topic from these offsets on, each once. */
const idsSince = async (log: EventLog, topic: string, before: ReadonlyMap<number, bigint>): Promise<Set<string>> => {
  const ends = [...(await log.admin.endOffsets(topic))];
  const ranges = ends.map(([partition, to]) => ({ topic, partition, from: before.get(partition) ?? 0n, to }));
  const ids = new Set<string>();
  await log.read(
    ranges.filter(({ from, to }) => to > from),
    async (records) => {
      for (const { value } of records) ids.add((JSON.parse(value?.toString('utf8') ?? '{}') as { id: string }).id);
    },
  );
  return ids;
};

type Server = { readonly args: readonly string[]; readonly env: Readonly<Record<string, string>>; readonly topic: string };

const serve = async (ground: Ground, { args, env, topic }: Server, parameters: Case['parameters']): Promise<Side> => {
  const { brokers, cores } = ground;
  const [port = 0, metricsPort = 0] = await freePorts(2);
  // This process makes the load: only the server stays on the core of the side.
  if (cores !== null) pin(process.pid, cores.rest);
  const common = { KAFKA_BROKERS: brokers.join(','), HTTP_HOST: '127.0.0.1', LOG_LEVEL: 'warn', NODE_ENV: 'production' };
  const child = startProgram({
    args,
    env: { ...common, HTTP_PORT: String(port), METRICS_PORT: String(metricsPort), ...env },
    core: cores?.side ?? null,
  });
  showComplaints('webhook', child);
  const answers = async (): Promise<boolean> =>
    fetch(`http://127.0.0.1:${port}/webhooks/bench`).then(
      () => true,
      () => child.exitCode !== null,
    );
  await until(answers, { timeoutMs: 60_000, describe: 'the webhook to answer' });
  if (child.exitCode !== null) throw new Error(`the webhook ended with ${child.exitCode}`);
  const log = await openEventLog({ brokers: [...brokers], clientId: 'bench-reader' });
  const secret = createSecretKey(SECRET, 'utf8');
  const load = new Load(`http://127.0.0.1:${port}/webhooks/bench`, parameters['connections'] ?? 512);
  return {
    processes: { webhook: child.pid as number },
    prepare: async (seconds): Promise<Work> => {
      const { rate = 0, items = 1, deliveries = 0 } = parameters;
      const made = Array.from({ length: rate > 0 ? rate * seconds : deliveries }, () => delivery(items, secret));
      const before = await log.admin.endOffsets(topic);
      load.reset();
      return {
        run: () => (rate > 0 ? load.atRate(made, rate) : load.inTurn(made)),
        confirmed: async () => {
          const { size } = await idsSince(log, topic, before);
          if (size < load.accepted) throw new Error(`${load.accepted} messages were acknowledged, ${size} are on the log`);
          return load.accepted;
        },
        figures: () => load.figures(),
      };
    },
    close: async () => {
      load.close();
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      await ended;
      await log.close();
    },
  };
};

/** Topics, databases and files of a webhook. */
export const setUpWebhook = async (
  { brokers, databaseUrl, folder }: Ground,
  partitions = 12,
): Promise<Record<string, string>> => {
  const log = await openEventLog({ brokers: [...brokers], clientId: 'bench' });
  const own = topicSpecs.filter(({ name }) => name === 'wa.inbound.v1').map((spec) => ({ ...spec, partitions }));
  await log.admin.createTopics([...own, ...own.map((spec) => ({ ...spec, name: BARE_TOPIC }))]);
  await log.close();
  const database = async (name: string): Promise<{ ownerUrl: string; appUrl: string }> =>
    createDatabase(databaseUrl, { name: `${name}_${randomBytes(4).toString('hex')}`, password: randomBytes(12).toString('hex') });
  const [ingest, keyring] = [await database('bench_ingest'), await database('bench_keyring')];
  const main = program('apps/ingest/dist/main.js');
  await runProgram({ args: [main, 'migrate'], env: { INGEST_ROLE: 'media', DATABASE_MIGRATOR_URL: ingest.ownerUrl } });
  await migrateKeyring(keyring.ownerUrl);
  const apps = join(folder, 'apps.json');
  const app = {
    app: 'bench',
    tenantId: TENANT,
    verifyToken: 'verify',
    secrets: { current: SECRET },
    accessToken: 'token',
    numbers: [{ phoneNumberId: NUMBER, wabaId: WABA }],
  };
  await writeFile(apps, JSON.stringify({ apps: [app] }));
  const media = join(folder, 'media');
  await mkdir(media);
  return {
    APPS_FILE: apps,
    MEDIA_DIR: media,
    DATABASE_URL: ingest.appUrl,
    KEYRING_DATABASE_URL: keyring.appUrl,
    KEYRING_MASTER_KEY: randomBytes(32).toString('base64'),
  };
};

/** The webhook as it is deployed. */
export const ourWebhook: Bench['ours'] = (ground, parameters) => {
  const env = { INGEST_ROLE: 'webhook', ...ground.made };
  return serve(ground, { args: [program('apps/ingest/dist/main.js')], env, topic: 'wa.inbound.v1' }, parameters);
};

export const p1: Bench = {
  id: 'P1',
  what: 'from a webhook’s bytes to records that all replicas have',
  baseline: 'bare Fastify + HMAC + kafkajs 2.2.4 batches (idempotent, acks -1), records of the same content in the clear',
  engines: ['postgres', 'kafka'],
  cases: [
    {
      name: 'batches of 100, closed loop of 16',
      goal: 0.8,
      parameters: { items: 100, deliveries: 300, connections: 16 },
    },
    {
      name: 'single messages, open loop of 3300/s',
      goal: null,
      ratioOf: 'cpu',
      limits: { 'p99 ms': 50 },
      parameters: { items: 1, rate: 3_300 },
    },
  ],
  setUp: (ground) => setUpWebhook(ground),
  ours: ourWebhook,
  theirs: (ground, parameters) => {
    const args = [fileURLToPath(new URL('../programs/bare-webhook.js', import.meta.url))];
    return serve(ground, { args, env: { SECRET, TOPIC: BARE_TOPIC }, topic: BARE_TOPIC }, parameters);
  },
};
