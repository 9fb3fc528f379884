import { describe, expect, it } from '@jest/globals';
import { createLogger } from '../logger.js';
import { DrainController, drainPhases } from './drain.js';
import { Health } from './health.js';

const silent = createLogger({ service: 'test', level: 'silent' });

describe('DrainController', () => {
  it('runs the phases in the written order whatever the order in which steps were added, last added first within one', async () => {
    const drain = new DrainController(silent);
    const ran: string[] = [];
    for (const phase of [...drainPhases].reverse()) drain.add(phase, phase, async () => void ran.push(phase));
    drain.add('close', 'later', () => void ran.push('close: later'));
    expect(await drain.drain('SIGTERM')).toBe(true);
    expect(ran).toEqual(['readiness', 'accept', 'consume', 'flush', 'relay', 'close: later', 'close', 'telemetry']);
  });

  it('waits for each step before the next phase', async () => {
    const drain = new DrainController(silent);
    let handled = false;
    let closedAfter: boolean | undefined;
    drain.add('consume', 'consumer', async () => {
      await new Promise((resolve) => setImmediate(resolve));
      handled = true;
    });
    drain.add('close', 'pool', () => {
      closedAfter = handled;
    });
    await drain.drain('SIGTERM');
    expect(closedAfter).toBe(true);
  });

  it('leaves behind what fails or hangs, and says so', async () => {
    const drain = new DrainController(silent, { phaseTimeoutMs: 20 });
    const ran: string[] = [];
    drain.add('consume', 'broken', () => {
      throw new Error('x');
    });
    drain.add('relay', 'hanging', () => new Promise(() => undefined));
    drain.add('close', 'pool', () => void ran.push('pool'));
    expect(await drain.drain('SIGTERM')).toBe(false);
    expect(ran).toEqual(['pool']);
  });

  it('ends within its time however much hangs', async () => {
    const drain = new DrainController(silent, { totalMs: 300 });
    for (const phase of drainPhases) drain.add(phase, phase, () => new Promise(() => undefined));
    const began = performance.now();
    expect(await drain.drain('SIGTERM')).toBe(false);
    // the first one takes what there is, the other six the least that there must be
    expect(performance.now() - began).toBeLessThan(300 + 6 * 250 + 1000);
  });

  it('drains once and aborts waiting requests at its beginning', async () => {
    const drain = new DrainController(silent);
    let times = 0;
    drain.add('readiness', 'count', () => void (times += 1));
    expect([drain.draining, drain.signal.aborted]).toEqual([false, false]);
    await Promise.all([drain.drain('SIGTERM'), drain.drain('SIGINT')]);
    expect([times, drain.draining, drain.signal.aborted]).toEqual([1, true, true]);
  });
});

describe('Health', () => {
  it('is live always, started once built, ready when nothing fails and not draining', async () => {
    const health = new Health();
    let database: string | null = null;
    health.add('database', () => database);
    expect([health.live().status, health.startup().status, (await health.ready()).status]).toEqual(['ok', 'failing', 'failing']);
    health.started();
    expect([health.startup().status, (await health.ready()).status]).toEqual(['ok', 'ok']);
    database = 'no connection';
    expect([(await health.ready()).failing, health.live().status]).toEqual([{ database: 'no connection' }, 'ok']);
    database = null;
    health.drain();
    expect(await health.ready()).toEqual({ status: 'failing', failing: { draining: 'shutting down' } });
  });

  it('tells of a check that throws only its code', async () => {
    const health = new Health();
    health.started();
    health.add('a', () => Promise.reject(Object.assign(new Error('password=hunter2'), { code: 'ECONNREFUSED' })));
    health.add('b', () => Promise.reject(new Error('password=hunter2')));
    expect((await health.ready()).failing).toEqual({ a: 'ECONNREFUSED', b: 'failed' });
  });
});
