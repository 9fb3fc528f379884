import { describe, expect, it } from '@jest/globals';
import { ErrorCodes, PlatformError } from '@centralita/contracts';
import { z } from 'zod';
import { consumerActionOf, consumerActions, permanentCode } from './actions.js';

const systemError = Object.assign(new Error('connect'), { code: 'ECONNREFUSED' });
/** As Node throws it itself: a bug that has a code. */
const wrongValue = (): unknown => {
  try {
    return Buffer.alloc(-1);
  } catch (error) {
    return error;
  }
};
const aborted = Object.assign(new Error('aborted'), { name: 'AbortError' });

describe(permanentCode.name, () => {
  it.each([
    ['a rule of the domain', new PlatformError('WINDOW_CLOSED', ''), 'WINDOW_CLOSED'],
    ['a schema', new z.ZodError([]), 'RECORD_INVALID'],
    ['a bug', new TypeError(''), 'INTERNAL'],
    ['a bug that Node noticed', wrongValue(), 'INTERNAL'],
    ['an invariant', new Error('cannot be'), 'INTERNAL'],
    ['something thrown that is no error', 'text', 'INTERNAL'],
    ['a constraint', new PlatformError('INTERNAL', '', { sqlState: '23514' }), 'INTERNAL'],
  ])('parks for %s', (_, error, code) => {
    expect(permanentCode(error)).toBe(code);
  });

  it.each([
    ['trouble of the log', new PlatformError('LOG_UNAVAILABLE', '')],
    ['a deadlock', new PlatformError('DATABASE_UNAVAILABLE', '', { sqlState: '40P01' })],
    ['a refused connection', systemError],
    ['a stream that ended early', Object.assign(new Error('premature close'), { code: 'ERR_STREAM_PREMATURE_CLOSE' })],
    ['an aborted request', aborted],
    ['a table that is not there', new PlatformError('INTERNAL', '', { sqlState: '42P01' })],
    ['a version that was used twice', new PlatformError('VERSION_REUSED', '')],
    ['a log that has lost records', new PlatformError('LOG_BEHIND_STORE', '')],
  ])('does not park for %s', (_, error) => {
    expect(permanentCode(error)).toBeNull();
  });
});

describe('consumerActions', () => {
  it('has one for every code, and tries again exactly what says that it passes: the transport goes by that', () => {
    expect(Object.keys(consumerActions).sort()).toEqual([...ErrorCodes].sort());
    for (const code of ErrorCodes) {
      const { retryable } = new PlatformError(code, '');
      expect([code, consumerActions[code] === 'retry']).toEqual([code, retryable]);
    }
  });

  it('stops for what the next record would meet too', () => {
    expect(consumerActionOf(new PlatformError('VERSION_REUSED', ''))).toBe('stop');
    expect(consumerActionOf(new PlatformError('INTERNAL', '', { sqlState: '42P01' }))).toBe('stop');
    expect(consumerActionOf(new TypeError('undefined is not a function'))).toBe('park');
  });
});
