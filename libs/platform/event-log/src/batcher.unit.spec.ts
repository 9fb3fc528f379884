import { describe, expect, it, jest } from '@jest/globals';
import { isPlatformError, PlatformError } from '@centralita/contracts';
import fc from 'fast-check';
import { Batcher } from './batcher.js';
import type { LogRecord } from './port.js';

const record = (key: string, bytes = 10): LogRecord => ({ topic: 'wa.inbound.v1', key, value: Buffer.alloc(bytes) });
const keysOf = (records: readonly LogRecord[]) => records.map(({ key }) => key);

describe('the batcher under every schedule', () => {
  it('acknowledges exactly what the log took, in order, one send at a time, within its bound', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        fc.array(fc.record({ size: fc.integer({ min: 1, max: 120 }), fails: fc.boolean() }), { minLength: 1, maxLength: 25 }),
        async (s, adds) => {
          // given a log that answers whenever the scheduler likes, and refuses sends that hold a poisoned record
          const onLog: (string | null)[] = [];
          const poisoned = new Set(adds.flatMap(({ fails }, index) => (fails ? [String(index)] : [])));
          let underWay = 0;
          const append = async (records: readonly LogRecord[]) => {
            expect(++underWay).toBe(1);
            await s.schedule(Promise.resolve(), 'send');
            underWay--;
            if (records.some(({ key }) => poisoned.has(key ?? ''))) throw new PlatformError('LOG_UNAVAILABLE', 'down');
            onLog.push(...keysOf(records));
          };
          const sut = new Batcher({
            log: { append },
            maxBytes: 400,
            flushBytes: 150,
            batchBytes: 150,
            later: (run) => {
              let cancelled = false;
              void s.schedule(Promise.resolve(), 'linger').then(() => cancelled || run());
              return () => (cancelled = true);
            },
          });
          // when requests come in between
          const outcomes = new Map<string, string>();
          const requests = adds.map(({ size }, index) =>
            s.schedule(Promise.resolve(), `add ${index}`).then(async () => {
              const key = String(index);
              try {
                await sut.add([record(key)], size);
                outcomes.set(key, 'acked');
              } catch (error) {
                outcomes.set(key, isPlatformError(error) ? error.code : 'unknown');
              }
              expect(sut.pendingBytes).toBeLessThanOrEqual(400);
            }),
          );
          await s.waitFor(Promise.all(requests));
          await s.waitFor(sut.close());
          // then
          const acked = [...outcomes].filter(([, outcome]) => outcome === 'acked').map(([key]) => key);
          expect([...onLog].sort()).toEqual(acked.sort());
          expect(new Set(onLog).size).toBe(onLog.length);
          for (const [key, outcome] of outcomes) {
            expect(['acked', 'LOG_UNAVAILABLE', 'LOG_OVERLOADED']).toContain(outcome);
            if (poisoned.has(key)) expect(outcome).not.toBe('acked');
          }
          expect(sut.pendingBytes).toBe(0);
        },
      ),
      { numRuns: 200 },
    );
  });
});

describe('the batcher', () => {
  const holding = () => {
    const sends: { keys: (string | null)[]; done(): void }[] = [];
    const append = (records: readonly LogRecord[]) =>
      new Promise<void>((resolve) => sends.push({ keys: keysOf(records), done: resolve }));
    return { sends, append };
  };

  it('lingers when idle, then gathers while a send is under way', async () => {
    jest.useFakeTimers();
    const { sends, append } = holding();
    const sut = new Batcher({ log: { append }, lingerMs: 3 });
    const first = Promise.all([sut.add([record('a')]), sut.add([record('b')])]);
    expect(sends).toHaveLength(0);
    jest.advanceTimersByTime(3);
    expect(sends.map(({ keys }) => keys)).toEqual([['a', 'b']]);
    const second = Promise.all([sut.add([record('c')]), sut.add([record('d')])]);
    jest.advanceTimersByTime(50);
    expect(sends).toHaveLength(1);
    jest.useRealTimers();
    sends[0]?.done();
    await first;
    await Promise.resolve();
    expect(sends[1]?.keys).toEqual(['c', 'd']);
    sends[1]?.done();
    await second;
  });

  it('sends at once when a batch is full and rejects beyond its bound without queueing', async () => {
    const { sends, append } = holding();
    const sut = new Batcher({ log: { append }, maxBytes: 100, flushBytes: 50, lingerMs: 1_000_000 });
    const accepted = sut.add([record('a')], 60);
    expect(sends).toHaveLength(1);
    await expect(sut.add([record('b')], 60)).rejects.toMatchObject({ code: 'LOG_OVERLOADED', retryable: true });
    sends[0]?.done();
    await accepted;
    const later = sut.add([record('c')], 60);
    expect(sends[1]?.keys).toEqual(['c']);
    sends[1]?.done();
    await later;
  });

  it('sends what has gathered behind a send together, up to what one batch may hold', async () => {
    const { sends, append } = holding();
    const sut = new Batcher({ log: { append }, flushBytes: 50, batchBytes: 120 });
    const all = ['a', 'b', 'c', 'd'].map((key) => sut.add([record(key)], 60));
    expect(sends.map(({ keys }) => keys)).toEqual([['a']]);
    for (const expected of [['b', 'c'], ['d']]) {
      sends.at(-1)?.done();
      while (sends.at(-1)?.keys[0] !== expected[0]) await Promise.resolve();
      expect(sends.at(-1)?.keys).toEqual(expected);
    }
    sends.at(-1)?.done();
    await Promise.all(all);
  });

  it('does not send what nobody wants any more when its turn comes', async () => {
    const { sends, append } = holding();
    const sut = new Batcher({ log: { append }, flushBytes: 1 });
    const first = sut.add([record('a')]);
    let wanted = true;
    const late = sut.add([record('b')], 10, () => wanted);
    const other = sut.add([record('c')]);
    wanted = false;
    sends[0]?.done();
    await first;
    await expect(late).rejects.toMatchObject({ code: 'TIMEOUT' });
    while (sends.length < 2) await Promise.resolve();
    sends[1]?.done();
    await other;
    expect(sends.map(({ keys }) => keys)).toEqual([['a'], ['c']]);
    expect(sut.pendingBytes).toBe(0);
  });

  it('lets only the request with the oversize record fail', async () => {
    const onLog: (string | null)[] = [];
    const append = async (records: readonly LogRecord[]) => {
      if (records.some(({ key }) => key === 'huge')) throw new PlatformError('RECORD_TOO_LARGE', 'too large');
      onLog.push(...keysOf(records));
    };
    const sut = new Batcher({ log: { append }, lingerMs: 1 });
    const outcomes = await Promise.allSettled(['a', 'huge', 'b'].map((key) => sut.add([record(key)])));
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(onLog).toEqual(['a', 'b']);
  });

  it('sends what waits when closed, and then refuses', async () => {
    const onLog: (string | null)[] = [];
    const sut = new Batcher({ log: { append: async (records) => void onLog.push(...keysOf(records)) }, lingerMs: 1_000_000 });
    const waiting = sut.add([record('a')]);
    await sut.close();
    await waiting;
    expect(onLog).toEqual(['a']);
    await expect(sut.add([record('b')])).rejects.toMatchObject({ code: 'DRAINING' });
  });
});
