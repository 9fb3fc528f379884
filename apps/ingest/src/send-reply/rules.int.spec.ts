import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { eventsOn } from '../support.spec.js';
import { Heard } from './heard.js';
import { SendLedger } from './ledger.js';
import {
  enqueue,
  fixture,
  log,
  newWorld,
  nextApp,
  setUp,
  start,
  stopAll,
  tearDown,
  until,
  type World,
} from './processes.spec.js';
import { rebuildLedger } from './rebuild.js';

beforeAll(setUp);
afterEach(stopAll);
afterAll(tearDown);

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

describe('a refusal', () => {
  it('that could not be announced at once tells when the call was made', async () => {
    const world = await newWorld();
    const key = randomUUID();
    const sendId = await world.enqueue(key);
    const at = '2026-01-02T03:04:05.678Z';
    const outcome = { state: 'refused', reason: 'window_closed', providerCode: 131047, at };
    await world.sql(`update send set state = 'decided', outcome = $1, attempted_at = now()`, [JSON.stringify(outcome)]);
    start(world.process());
    await until(async () => (await world.state(sendId)) === 'refused');
    const [refused] = eventsOn(log, 'wa.outbound.v1').filter(({ subject }) => subject === key);
    expect(refused).toMatchObject({ time: at, data: { reason: 'window_closed', providerCode: 131047 } });
  });
});

describe('giving up', () => {
  it('waits until what the provider has said is taken up: the proof may be on the log', async () => {
    // given an unknown call of long ago, and a status that the group has not applied, as after an outage
    const group = `group-${randomUUID()}`;
    const world = await newWorld();
    const sendId = await world.enqueue();
    await world.sql(`update send set state = 'unknown', attempted_at = now() - interval '1 hour'`);
    await log.append([{ topic: 'wa.inbound.v1', key: randomUUID(), value: Buffer.from('{}') }]);
    const heard = new Heard(fixture.db, log, group);
    const answers: (Date | null)[] = [];
    const noted = async (): Promise<Date | null> => {
      const answer = await heard.until();
      answers.push(answer);
      return answer;
    };
    start(world.process(() => ({ heard: { until: noted } })));

    // then it stays unknown for as long as that takes
    await until(() => answers.length >= 2);
    expect(answers.some((answer) => answer !== null)).toBe(false);
    expect(await world.state(sendId)).toBe('unknown');

    // when the group has come so far, it is given up
    const ends = await log.admin.endOffsets('wa.inbound.v1');
    await fixture.db.system((tx) =>
      tx.execute(
        `insert into consumer_offset (group_id, topic, partition, next_offset)
         select $1, 'wa.inbound.v1', * from unnest($2::int[], $3::bigint[])`,
        [group, [...ends.keys()], [...ends.values()].map(String)],
      ),
    );
    await until(async () => (await world.state(sendId)) === 'unresolved');
    expect(world.history).toEqual(['unresolved']);
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
    const [a, b] = [nextApp(), nextApp()];
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
