import { describe, expect, it } from '@jest/globals';
import { isPlatformError } from '@centralita/contracts';
import { targetOf } from './api.controller.js';

describe('targetOf', () => {
  it('keeps path and query as they came', () => {
    expect(targetOf('/api/v1/inbox?view=all&q=%C3%B1&x=a?b')).toEqual({
      path: '/v1/inbox',
      target: '/v1/inbox?view=all&q=%C3%B1&x=a?b',
    });
    expect(targetOf('/api/v1/statements/1234/2026-10/lines/a.b:c@d+e=f~g/usage').path).toBe(
      '/v1/statements/1234/2026-10/lines/a.b:c@d+e=f~g/usage',
    );
  });

  it.each([
    '/api/v1/../internal',
    '/api/v1/./inbox',
    '/api/v1/%2e%2e/inbox',
    '/api/v1/a%2fb',
    '/api//v1/inbox',
    '/api/v1/a\\b',
    '/api/v1/',
    '/api/',
    '/api/v1/a b',
    '/api/v1/..',
  ])('finds nothing at %s', (url) => {
    let failure: unknown;
    try {
      targetOf(url);
    } catch (error) {
      failure = error;
    }
    expect(isPlatformError(failure, 'NOT_FOUND')).toBe(true);
  });
});
