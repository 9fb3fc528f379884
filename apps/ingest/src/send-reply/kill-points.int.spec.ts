import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { PlatformError } from '@centralita/contracts';
import type { Outbound } from '../outbound.js';
import type { DispatcherOptions } from './dispatcher.js';
import { SendLedger, type Send } from './ledger.js';
import { fixture, log, newWorld, setUp, start, stopAll, tearDown, until } from './processes.spec.js';
import { rebuildLedger } from './rebuild.js';

beforeAll(setUp);
afterEach(stopAll);
afterAll(tearDown);

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

  it('for longer than a lease lets the same process claim a reply again, which is called once all the same', async () => {
    const world = await newWorld();
    const asked: string[] = [];
    const back = Promise.withResolvers<undefined>();
    const dispatcher = world.process(({ outbound }) => ({
      outbound: {
        append: async (fact) => {
          asked.push(fact.about);
          await back.promise;
          return outbound.append(fact);
        },
      },
    }));
    const sendId = await world.enqueue();
    start(dispatcher);
    await until(() => asked.includes(sendId));
    // when its lease ends, it is claimed again, and a turn later another one is on its way too
    await world.sql(`update send set lease_until = now() - interval '1 second'`);
    await until(async () => {
      const rows = await fixture.db.withTenant(world.tenantId, (tx) =>
        tx.query('select from send where send_id = $1 and lease_until > now()', [sendId]),
      );
      return rows.length > 0;
    });
    const other = await world.enqueue();
    await until(() => asked.includes(other));
    back.resolve(undefined);
    // then
    for (const each of [sendId, other]) await until(async () => (await world.state(each)) === 'accepted');
    expect(world.history.filter((entry) => entry === 'call')).toHaveLength(2);
  });
});

describe('a holder', () => {
  it('that asks twice at once for the way to a call is let through once', async () => {
    const world = await newWorld();
    await world.enqueue();
    const ledger = new SendLedger(fixture.db, randomUUID());
    const [send] = await ledger.claim(world.tenantId, 1);
    if (!send) throw new Error('nothing was claimed');
    // The first goes alone, the others together.
    const market = { country: null, prefix: null };
    const passed = await Promise.all([1, 2, 3].map(() => ledger.markAttempted(send, market, 1)));
    expect(passed.filter(Boolean)).toHaveLength(1);
  });

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
