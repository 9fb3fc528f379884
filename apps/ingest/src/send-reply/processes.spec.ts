import { randomUUID } from 'node:crypto';
import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { createMemoryLog, type MemoryLog } from '@centralita/event-log';
import { createLogger } from '@centralita/platform-nest';
import { until as waitUntil, type UntilOptions } from '@centralita/testing-engines';
import { loadApps, type MetaApps } from '../apps.js';
import { Outbound } from '../outbound.js';
import { ingestFixture, testApp, writeApps, type IngestFixture, type TestApp } from '../support.spec.js';
import { Dispatcher, type DispatcherOptions } from './dispatcher.js';
import { SendLedger } from './ledger.js';

/** Patient: a crowded machine is slow, and nothing here is about time. */
export const until = <T>(condition: () => T | Promise<T>, options: UntilOptions = {}): Promise<NonNullable<T>> =>
  waitUntil(condition, { timeoutMs: 40_000, ...options });

export let fixture: IngestFixture;
export let log: MemoryLog;
const running: Dispatcher[] = [];

/** For beforeAll, afterEach and afterAll: every spec file has this module, and so its databases, of its own. */
export const setUp = async (): Promise<void> => {
  fixture = await ingestFixture();
  log = createMemoryLog();
};
export const stopAll = async (): Promise<void> => {
  await Promise.all(running.splice(0).map((dispatcher) => dispatcher.stop()));
};
export const tearDown = async (): Promise<void> => {
  await log.close();
  await fixture.close();
};

/** What dispatchers do, in order: `attempted`, `call`, `accepted`… */
type History = string[];
export type World = {
  readonly tenantId: string;
  readonly apps: MetaApps;
  readonly history: History;
  enqueue(key?: string): Promise<string>;
  /** A sender process; `wrap` may change its parts. Called without `start` it does nothing yet. */
  process(wrap?: (parts: DispatcherOptions) => Partial<DispatcherOptions>): Dispatcher;
  state(sendId: string): Promise<string | undefined>;
  sql(statement: string, parameters?: unknown[]): Promise<void>;
};

let numbers = 1000;
/** An app whose number nobody has. */
export const nextApp = (): TestApp => {
  const number = String(++numbers);
  return testApp(`app${number}`, number);
};
/** A tenant of its own with one number. */
export const newWorld = async (...others: TestApp[]): Promise<World> => {
  const app = nextApp();
  const { tenantId } = app;
  const number = app.numbers[0]?.phoneNumberId ?? '';
  const apps = await loadApps(await writeApps(await mkdtemp(join(fixture.folder, 'apps-')), [app, ...others]));
  const history: History = [];
  const outbound = new Outbound(log, fixture.keyring, () => new Date());
  return {
    tenantId,
    apps,
    history,
    enqueue: (key) => enqueue(tenantId, number, key),
    process: (wrap = () => ({})) => {
      const parts: DispatcherOptions = {
        ledger: new SendLedger(fixture.db, randomUUID()),
        heard: { until: async () => new Date() },
        outbound: {
          append: async (fact) => {
            await outbound.append(fact);
            history.push(fact.type.slice('whatsapp.reply.'.length, -'.v1'.length));
          },
        },
        keyring: fixture.keyring,
        apps,
        clientOf: () => ({
          send: async ({ callbackData }) => {
            history.push('call');
            return { outcome: 'accepted', wamid: `wamid.${callbackData}` };
          },
        }),
        clock: () => new Date(),
        logger: createLogger({ service: 'ingest', level: 'silent' }),
        callSeconds: 1,
        concurrency: 4,
        ratePerSecond: 1000,
        pairIntervalMs: 0,
        pairBurst: 1,
        unresolvedAfterSeconds: 60,
      };
      return new Dispatcher({ ...parts, ...wrap(parts) });
    },
    state: async (sendId) => {
      const [row] = await fixture.db.withTenant(tenantId, (tx) =>
        tx.query<{ state: string }>('select state from send where send_id = $1', [sendId]),
      );
      return row?.state;
    },
    sql: async (statement, parameters = []) => {
      await fixture.db.withTenant(tenantId, (tx) => tx.execute(statement, parameters));
    },
  };
};

export const enqueue = async (tenantId: string, phoneNumberId: string, key: string = randomUUID()): Promise<string> => {
  const sendId = randomUUID();
  await fixture.keyring.ensureSubjects(tenantId, [key]);
  const keys = await fixture.keyring.sealer(tenantId, [key]);
  const sealed = keys.seal({ id: randomUUID(), subject: key, schema: 'reply.v1', plaintext: { to: '34600000001', text: 'x' } });
  const send = { sendId, replyId: randomUUID(), conversationId: randomUUID(), key, phoneNumberId, kind: 'text' as const };
  await fixture.db.withTenant(tenantId, (tx) =>
    new SendLedger(fixture.db, randomUUID()).enqueue(tx, [
      { ...send, sendBefore: new Date(Date.now() + 600_000), sealed, flow: null },
    ]),
  );
  return sendId;
};

export const start = (dispatcher: Dispatcher): void => {
  running.push(dispatcher);
  dispatcher.start();
};
