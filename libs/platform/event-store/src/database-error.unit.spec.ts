import { describe, expect, it } from '@jest/globals';
import { PlatformError } from '@centralita/contracts';
import { QueryFailedError, QueryRunnerAlreadyReleasedError } from 'typeorm';
import { databaseError, isRetryableTransaction, isUniqueViolation } from './database-error.js';

const fromServer = (code: string, extra: object = {}): Error =>
  new QueryFailedError('select $1', ['+15550104477'], Object.assign(new Error('value +15550104477 is bad'), { code, ...extra }));

describe(databaseError.name, () => {
  it.each([
    ['CE412', {}, 'VERSION_CONFLICT'],
    ['CE409', {}, 'STALE_EPOCH'],
    ['23505', { constraint: 'events_stream_version' }, 'VERSION_CONFLICT'],
    ['23505', { constraint: 'some_table_pk' }, 'INTERNAL'],
    ['57014', {}, 'TIMEOUT'],
    ['40001', {}, 'DATABASE_UNAVAILABLE'],
    ['40P01', {}, 'DATABASE_UNAVAILABLE'],
    ['57P01', {}, 'DATABASE_UNAVAILABLE'],
    ['53300', {}, 'DATABASE_UNAVAILABLE'],
    ['25006', {}, 'DATABASE_UNAVAILABLE'],
    ['22P02', {}, 'INTERNAL'],
    ['42501', {}, 'INTERNAL'],
  ])('%s %j becomes %s', (sqlState, extra, code) => {
    const error = databaseError(fromServer(sqlState, extra));
    expect(error).toMatchObject({ name: 'PlatformError', code, details: { sqlState, ...extra } });
    expect(JSON.stringify(error)).not.toContain('15550104477');
  });

  it('keeps its own messages and those about identifiers, and no others', () => {
    expect((databaseError(fromServer('22P02')) as Error).message).not.toContain('is bad');
    expect((databaseError(fromServer('42703')) as Error).message).toContain('is bad');
  });

  it('knows a lost connection, and leaves errors of others alone', () => {
    const refused = Object.assign(new AggregateError([], ''), { code: 'ECONNREFUSED' });
    expect(databaseError(refused)).toMatchObject({ code: 'DATABASE_UNAVAILABLE', details: { code: 'ECONNREFUSED' } });
    expect(databaseError(new Error('Connection terminated unexpectedly'))).toMatchObject({ code: 'DATABASE_UNAVAILABLE' });
    // TypeORM lets the runner of a connection go as soon as it hears of its end, whatever asks next.
    expect(databaseError(new QueryRunnerAlreadyReleasedError())).toMatchObject({ code: 'DATABASE_UNAVAILABLE' });
    const own = new PlatformError('NOT_FOUND', '');
    expect(databaseError(own)).toBe(own);
    const foreign = new TypeError('a bug');
    expect(databaseError(foreign)).toBe(foreign);
    expect(databaseError('text')).toBe('text');
  });

  it('tells deadlocks and unique violations apart', () => {
    expect(isRetryableTransaction(databaseError(fromServer('40P01')))).toBe(true);
    expect(isRetryableTransaction(databaseError(fromServer('57P01')))).toBe(false);
    const duplicate = databaseError(fromServer('23505', { constraint: 'agent_name' }));
    expect([
      isUniqueViolation(duplicate),
      isUniqueViolation(duplicate, 'agent_name'),
      isUniqueViolation(duplicate, 'other'),
    ]).toEqual([true, true, false]);
  });
});
