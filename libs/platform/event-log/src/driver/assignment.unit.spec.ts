import { afterEach, describe, expect, it, jest } from '@jest/globals';
import type { StoredRecord } from '../port.js';
import { Assignment } from './assignment.js';

const where = { topic: 't', partition: 0 };
const record = (offset: bigint): StoredRecord => ({ ...where, offset, key: null, value: null, headers: {}, timestamp: 0n });
const failing = (code?: number) => async (): Promise<void> => {
  throw Object.assign(new Error('heartbeat'), code !== undefined && { code });
};
const unused = async (): Promise<void> => undefined;

describe('an assignment', () => {
  afterEach(() => void jest.restoreAllMocks());

  it('is stale after a session of silence, for example after SIGSTOP, without anybody telling', () => {
    let now = 1000;
    jest.spyOn(performance, 'now').mockImplementation(() => now);
    const sut = new Assignment([where], 6000);
    sut.position(where, 0n);
    const batch = sut.batch({ ...where, next: 0n, attempt: 0 }, [record(0n)], 1n, unused);
    now += 6000;
    expect(batch.isStale()).toBe(false);
    sut.alive();
    now += 6001;
    expect(batch.isStale()).toBe(true);
    expect(batch.signal.aborted).toBe(false);
  });

  it('lets running work finish while the group waits for us, and ends it when the group went on', async () => {
    const sut = new Assignment([where], 6000);
    await sut.heartbeat(failing(27));
    expect(sut.rebalancing).toBe(true);
    expect(sut.isStale()).toBe(false);
    await expect(sut.heartbeat(failing(25))).rejects.toMatchObject({ code: 'STALE_EPOCH' });
    expect(sut.isStale()).toBe(true);
    expect(sut.signal.aborted).toBe(true);
  });

  it('outlives a broker that does not answer for less than a session', async () => {
    const sut = new Assignment([where], 6000);
    await sut.heartbeat(failing());
    expect(sut.isStale()).toBe(false);
  });

  it('refuses a batch with a hole before it or in it', () => {
    const sut = new Assignment([where], 6000);
    const position = { ...where, next: 5n, attempt: 0 };
    expect(sut.batch(position, [record(5n), record(6n)], 9n, unused)).toMatchObject({
      firstOffset: 5n,
      lastOffset: 6n,
      endOffset: 9n,
    });
    for (const records of [[record(6n)], [record(5n), record(7n)]])
      expect(() => sut.batch(position, records, 9n, unused)).toThrow(expect.objectContaining({ code: 'OFFSET_OUT_OF_RANGE' }));
  });

  it('does not let a batch of an earlier position move the present one', () => {
    const sut = new Assignment([where], 6000);
    sut.position(where, 5n);
    const old = sut.positionOf(where);
    sut.position(where, 9n);
    if (old) old.next = 6n;
    expect(sut.positionOf(where)?.next).toBe(9n);
  });
});
