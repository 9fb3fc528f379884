import { randomUUID } from 'node:crypto';
import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { PlatformError } from '@centralita/contracts';
import { createMemoryLog, type MemoryLog } from '@centralita/event-log';
import { createLogger } from '@centralita/platform-nest';
import { until as waitUntil, type UntilOptions } from '@centralita/testing-engines';
import { loadApps, type MetaApps } from '../apps.js';
import { Outbound } from '../outbound.js';
import { eventsOn, ingestFixture, testApp, writeApps, type IngestFixture, type TestApp } from '../support.spec.js';
import { Dispatcher, type DispatcherOptions } from './dispatcher.js';
import { SendLedger, type Send } from './ledger.js';
import { rebuildLedger } from './rebuild.js';

/** Patient: a crowded machine is slow, and nothing here is about time. */
const until = <T>(condition: () => T | Promise<T>, options: UntilOptions = {}): Promise<NonNullable<T>> =>
  waitUntil(condition, { timeoutMs: 40_000, ...options });

let fixture: IngestFixture;
let log: MemoryLog;
const running: Dispatcher[] = [];
beforeAll(async () => {
  fixture = await ingestFixture();
  log = createMemoryLog();
});
afterEach(async () => {
  await Promise.all(running.splice(0).map((dispatcher) => dispatcher.stop()));
});
afterAll(async () => {
  await log.close();
  await fixture.close();
});

/** What dispatchers do, in order: `attempted`, `call`, `accepted`… */
type History = string[];
type World = {
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
/** A tenant of its own with one number. */
const newWorld = async (...others: TestApp[]): Promise<World> => {
  const number = String(++numbers);
  const app = testApp(`app${number}`, number);
  const { tenantId } = app;
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

const enqueue = async (tenantId: string, phoneNumberId: string, key: string = randomUUID()): Promise<string> => {
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

const start = (dispatcher: Dispatcher): void => {
  running.push(dispatcher);
  dispatcher.start();
};

type Step = 'claim' | 'attempted' | 'mark' | 'call' | 'decide' | 'announce' | 'forget';
/** A process that is killed right before or right after a step: from there on nothing of it happens. */
const dying = (when: 'before' | 'after', step: Step, dead: () => void) => (parts: DispatcherOptions) => {
  const at = async <T>(here: Step, work: () => Promise<T>): Promise<T> => {
    if (here === step && when === 'before') return die();
    const result = await work();
    return here === step ? die() : result;
  };
  const die = (): Promise<never> => {
    dead();
    return new Promise(() => undefined);
  };
  const { ledger, outbound, clientOf } = parts;
  const patched = Object.assign(Object.create(ledger) as SendLedger, {
    claim: (...a: Parameters<SendLedger['claim']>) => at('claim', () => ledger.claim(...a)),
    markAttempted: (...a: Parameters<SendLedger['markAttempted']>) => at('mark', () => ledger.markAttempted(...a)),
    decide: (...a: Parameters<SendLedger['decide']>) => at('decide', () => ledger.decide(...a)),
    announced: (...a: Parameters<SendLedger['announced']>) => at('forget', () => ledger.announced(...a)),
    decided: (...a: Parameters<SendLedger['decided']>) => ledger.decided(...a),
    expire: (...a: Parameters<SendLedger['expire']>) => ledger.expire(...a),
    markUnknown: (...a: Parameters<SendLedger['markUnknown']>) => ledger.markUnknown(...a),
    release: (...a: Parameters<SendLedger['release']>) => ledger.release(...a),
  });
  return {
    ledger: patched,
    outbound: {
      append: (fact: Parameters<Outbound['append']>[0]) =>
        at(fact.type === 'whatsapp.reply.attempted.v1' ? 'attempted' : 'announce', () => outbound.append(fact)),
    },
    clientOf: (tenantId: string, number: string) => {
      const client = clientOf(tenantId, number);
      return client && { send: (message: Parameters<typeof client.send>[0]) => at('call', () => client.send(message)) };
    },
  };
};

describe('a process that is killed', () => {
  // What the next process makes of it: by the ledger alone, and when it reads the log first, as a start does.
  it.each<['before' | 'after', Step, string, number]>([
    ['before', 'claim', 'accepted', 1],
    ['after', 'claim', 'accepted', 1],
    ['before', 'attempted', 'accepted', 1],
    ['after', 'attempted', 'unknown', 0],
    ['before', 'mark', 'unknown', 0],
    ['after', 'mark', 'unknown', 0],
    ['before', 'call', 'unknown', 0],
    ['after', 'call', 'unknown', 1],
    ['before', 'decide', 'unknown', 1],
    ['after', 'decide', 'accepted', 1],
    ['before', 'announce', 'accepted', 1],
    ['after', 'announce', 'accepted', 1],
    ['before', 'forget', 'accepted', 1],
    ['after', 'forget', 'accepted', 1],
  ])('%s the step "%s" leaves a reply that is %s after %i calls', async (when, step, state, calls) => {
    for (const restart of [false, true]) {
      const world = await newWorld();
      const sendId = await world.enqueue();
      let dead = false;
      const first = world.process(dying(when, step, () => (dead = true)));
      first.start();
      await until(() => dead);
      // Its loop ends; what hangs in it hangs for ever.
      void first.stop();
      await world.sql(
        `update send set not_before = '-infinity', lease_until = case when lease_until is not null then now() - interval '1 second' end`,
      );
      if (restart) await rebuildLedger(fixture.db, log);
      // Without the log nobody knows of an attempt that the row does not say: then the call, which was never made, is made.
      const known = restart || !['attempted', 'mark'].includes(step) || (step === 'mark' && when === 'after');
      const expected = known ? { state, calls } : { state: 'accepted', calls: 1 };
      start(world.process());
      await until(async () => (await world.state(sendId)) === expected.state, {
        describe: () => `${expected.state}; saw ${world.history.join(', ')}`,
      });
      expect(world.history.filter((entry) => entry === 'call')).toHaveLength(expected.calls);
      // None without an attempt on the log before it.
      const attempt = world.history.indexOf('attempted');
      if (expected.calls > 0) expect(attempt).toBeGreaterThanOrEqual(0);
      expect(world.history.indexOf('call') === -1 || attempt < world.history.indexOf('call')).toBe(true);
    }
  });
});

describe('a log that is away', () => {
  it('means no call until the attempt is on it, and no outcome is forgotten', async () => {
    const world = await newWorld();
    const fails = new Set(['whatsapp.reply.attempted.v1', 'whatsapp.reply.accepted.v1']);
    const dispatcher = world.process(({ outbound }) => ({
      outbound: {
        append: async (fact) => {
          if (!fails.delete(fact.type)) return outbound.append(fact);
          world.history.push(`${fact.type} failed`);
          throw new PlatformError('LOG_UNAVAILABLE', 'injected');
        },
      },
    }));
    await world.enqueue();
    start(dispatcher);
    await until(() => world.history.at(-1) === 'accepted', { describe: () => world.history.join(', ') });
    expect(world.history).toEqual([
      'whatsapp.reply.attempted.v1 failed',
      'attempted',
      'call',
      'whatsapp.reply.accepted.v1 failed',
      'accepted',
    ]);
  });
});

describe('a holder', () => {
  it('that may live keeps its row, and one that was paused does not call when it comes back', async () => {
    const world = await newWorld();
    const sendId = await world.enqueue();
    const [row] = await new SendLedger(fixture.db, randomUUID()).claim(world.tenantId, 1);
    const other = await world.enqueue();
    start(world.process());
    await until(async () => (await world.state(other)) === 'accepted');
    expect([await world.state(sendId), world.history]).toEqual(['claimed', ['attempted', 'call', 'accepted']]);
    const stranger = new SendLedger(fixture.db, randomUUID());
    expect(await stranger.markAttempted(row as Send, { country: null, prefix: null }, 1)).toBe(false);
  });

  it('between the log and its row is waited for by a start, and then nobody calls', async () => {
    // given a restored database that still has the lease of a holder which has called since
    const world = await newWorld();
    const sendId = await world.enqueue();
    let dead = false;
    const first = world.process(dying('after', 'attempted', () => (dead = true)));
    first.start();
    await until(() => dead);
    void first.stop();
    // when a sender starts while the lease runs
    let read = false;
    const reading = rebuildLedger(fixture.db, log).then(() => (read = true));
    await until(async () => (await world.state(sendId)) === 'claimed');
    expect(read).toBe(false);
    await world.sql(`update send set lease_until = now() - interval '1 second'`);
    await reading;
    // then the call counts as made
    expect(await world.state(sendId)).toBe('unknown');
  });
});

describe('a status', () => {
  const prove = async (world: World, sendId: string): Promise<void> => {
    const ledger = new SendLedger(fixture.db, randomUUID());
    await fixture.db.withTenant(world.tenantId, (tx) => ledger.proven(tx, [{ sendId, messageRef: 'r'.repeat(22) }]));
  };

  it('that comes between the end of patience and its announcement still tells the truth', async () => {
    const world = await newWorld();
    const sendId = await world.enqueue();
    await world.sql(`update send set state = 'decided', outcome = '{"state": "unresolved"}', attempted_at = now()`);
    await prove(world, sendId);
    start(world.process());
    await until(async () => (await world.state(sendId)) === 'accepted');
    expect(world.history).toEqual(['accepted']);
  });

  it('of a reply that is still to be called keeps it from being called again', async () => {
    const world = await newWorld();
    const sendId = await world.enqueue();
    await prove(world, sendId);
    start(world.process());
    await until(async () => (await world.state(sendId)) === 'accepted');
    expect(world.history).not.toContain('call');
  });

  it('does not turn a refusal', async () => {
    const world = await newWorld();
    const sendId = await world.enqueue();
    const outcome = { state: 'refused', reason: 'blocked', providerCode: 130403 };
    await world.sql(`update send set state = 'decided', outcome = $1, attempted_at = now()`, [JSON.stringify(outcome)]);
    await prove(world, sendId);
    start(world.process());
    await until(async () => (await world.state(sendId)) === 'refused');
  });
});

describe('a start', () => {
  it('does not forget a truth that came late', async () => {
    // given a reply that was unresolved on the log, proven since, and a crash before that was announced
    const world = await newWorld();
    const sendId = await world.enqueue();
    await world.sql(`update send set state = 'decided', outcome = '{"state": "unresolved"}', attempted_at = now()`);
    const first = world.process();
    first.start();
    await until(async () => (await world.state(sendId)) === 'unresolved');
    await first.stop();
    const ledger = new SendLedger(fixture.db, randomUUID());
    await fixture.db.withTenant(world.tenantId, (tx) => ledger.proven(tx, [{ sendId, messageRef: 'r'.repeat(22) }]));
    // when the next process reads the log first
    await rebuildLedger(fixture.db, log);
    start(world.process());
    await until(async () => (await world.state(sendId)) === 'accepted');
    expect(eventsOn(log, 'wa.outbound.v1').filter(({ data }) => (data as { sendId: string }).sendId === sendId)).toMatchObject([
      { type: 'whatsapp.reply.unresolved.v1' },
      { type: 'whatsapp.reply.accepted.v1' },
    ]);
  });
});

describe('a customer whose erasure has begun', () => {
  it.each(['closing', 'destroyed'] as const)('(%s) gets no call, and nothing is recorded of them', async (state) => {
    const world = await newWorld();
    const key = randomUUID();
    const [reply, unknown] = [await world.enqueue(key), await world.enqueue(key)];
    await world.sql(`update send set state = 'unknown', attempted_at = now() - interval '1 hour' where send_id = $1`, [unknown]);
    await fixture.keyring.setState(world.tenantId, key, state);
    start(world.process());
    await until(async () => (await world.state(reply)) === 'refused' && (await world.state(unknown)) === 'unresolved');
    expect(world.history).toEqual([]);
  });
});

describe('limits', () => {
  it('of a pair are kept before the provider refuses, in order, and hold up nobody else', async () => {
    const world = await newWorld();
    const key = randomUUID();
    const sent: string[] = [];
    const pair = [];
    for (let n = 0; n < 4; n++) pair.push(await world.enqueue(key));
    const dispatcher = world.process(({ clientOf }) => ({
      concurrency: 1,
      pairIntervalMs: 60_000,
      pairBurst: 2,
      clientOf: (...a) => {
        const client = clientOf(...a);
        return client && { send: (message) => client.send((sent.push(message.callbackData), message)) };
      },
    }));
    start(dispatcher);
    await until(() => sent.length === 2);
    const other = await world.enqueue();
    await until(async () => (await world.state(other)) === 'accepted');
    expect(sent).toEqual([pair[0], pair[1], other]);
    expect([await world.state(pair[2] as string), await world.state(pair[3] as string)]).toEqual(['waiting', 'waiting']);
  });

  it('of one tenant’s backlog do not starve another tenant', async () => {
    const [a, b] = [testApp('a', String(++numbers)), testApp('b', String(++numbers))];
    const world = await newWorld(a, b);
    const backlog = await Promise.all(
      Array.from({ length: 6 }, (_, n) => enqueue((n % 2 ? a : b).tenantId, (n % 2 ? a : b).numbers[0]!.phoneNumberId)),
    );
    expect(world.apps.tenants(1)).toEqual([...world.apps.tenants().slice(1), world.apps.tenants()[0]]);
    // given one place, and a customer of each tenant who gets another reply as soon as one is out
    const sent: string[] = [];
    const dispatcher = world.process(() => ({
      concurrency: 1,
      clientOf: (tenantId) => ({
        send: async ({ callbackData }) => {
          sent.push(tenantId);
          await enqueue(tenantId, (tenantId === a.tenantId ? a : b).numbers[0]!.phoneNumberId);
          return { outcome: 'accepted', wamid: `wamid.${callbackData}` };
        },
      }),
    }));
    start(dispatcher);
    await until(() => sent.length > backlog.length);
    expect(new Set(sent).size).toBe(2);
  });
});
