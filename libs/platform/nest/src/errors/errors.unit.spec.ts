import { describe, expect, it } from '@jest/globals';
import { ErrorCodes, PlatformError, Problem } from '@centralita/contracts';
import { NotFoundException } from '@nestjs/common';
import { asPlatformError } from './filter.js';
import { codeForStatus, httpAnswers, problemOf, problemType } from './http.js';

describe('HTTP answers', () => {
  it('has a status and a title for every code', () => {
    expect(Object.keys(httpAnswers).sort()).toEqual([...ErrorCodes].sort());
    for (const code of ErrorCodes) {
      const problem = problemOf({ code, detail: 'what happened', retryable: false });
      expect(Problem.parse(problem)).toEqual(problem);
      expect(problem.status).toBeGreaterThanOrEqual(400);
      expect(problem.type).toMatch(/^urn:centralita:problem:[a-z-]+$/);
    }
  });

  it.each([
    ['VERSION_CONFLICT', 412],
    ['PRECONDITION_REQUIRED', 428],
    ['IDEMPOTENCY_MISMATCH', 422],
    ['CAUSE_NOT_SEEN', 409],
    ['AUDIT_UNAVAILABLE', 503],
    ['NOT_FOUND', 404],
  ] as const)('answers %s with %i', (code, status) => {
    expect(httpAnswers[code].status).toBe(status);
  });

  it('answers passing trouble so that clients come again, and never with 4xx that says it is their fault', () => {
    for (const code of ErrorCodes) {
      const error = new PlatformError(code, 'x');
      if (error.retryable) expect([409, 429, 502, 503, 504]).toContain(httpAnswers[code].status);
    }
  });

  it('tells which type it is by a stable name', () => {
    expect(problemType('AUDIT_UNAVAILABLE')).toBe('urn:centralita:problem:audit-unavailable');
  });

  it('names wrong fields, and says nothing of our own faults but their code', () => {
    const errors = [{ path: 'body.text', message: 'is required' }];
    const invalid = problemOf({
      code: 'VALIDATION_FAILED',
      detail: 'one field',
      retryable: false,
      details: { errors, limit: 3 },
    });
    expect(invalid).toMatchObject({ errors, details: { limit: 3 } });
    const ours = problemOf({ code: 'INTERNAL', detail: 'SELECT phone', retryable: false, details: { sql: 'SELECT phone' } });
    expect(JSON.stringify(ours)).not.toContain('SELECT');
  });

  it('has a code for every status that the HTTP layer can answer with', () => {
    for (let status = 400; status < 600; status += 1) expect(ErrorCodes).toContain(codeForStatus(status));
  });
});

describe('asPlatformError', () => {
  it('keeps ours, maps the framework by status, and hides the text of strangers', () => {
    const ours = new PlatformError('OFFER_GONE', 'gone');
    expect(asPlatformError(ours)).toBe(ours);
    expect(asPlatformError(new NotFoundException('Cannot GET /v1/contacts/+34600')).code).toBe('NOT_FOUND');
    expect(asPlatformError(new NotFoundException('Cannot GET /v1/contacts/+34600')).message).not.toContain('34600');
    const stranger = asPlatformError(new Error('duplicate key (phone)=(+34600)'));
    expect([stranger.code, stranger.message.includes('34600')]).toEqual(['INTERNAL', false]);
    expect(asPlatformError('text').code).toBe('INTERNAL');
  });
});
