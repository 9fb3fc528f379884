import { describe, expect, it } from '@jest/globals';
import { formatLine } from './log-line.js';

describe('a log line on the screen', () => {
  it('has level, message and fields, without what the prefix says already', () => {
    const line = JSON.stringify({
      level: 30,
      time: 1,
      pid: 2,
      hostname: 'h',
      svc: 'ingest',
      msg: 'listening',
      port: 7,
      err: { code: 'X' },
    });
    expect(formatLine(line, false)).toBe('info listening port=7 err={"code":"X"}');
  });

  it('is left out when quiet, unless it warns', () => {
    expect(formatLine('{"level":30,"msg":"listening"}', true)).toBeNull();
    expect(formatLine('{"level":40,"msg":"slow"}', true)).toBe('WARN slow');
    expect(formatLine('{"level":"error","msg":"broken"}', true)).toBe('ERROR broken');
    expect(formatLine('{"level":"debug","msg":"detail"}', true)).toBeNull();
  });

  it('is shown as it came when it is no JSON', () => {
    expect(formatLine('Error: boom', true)).toBe('Error: boom');
    expect(formatLine('{broken', true)).toBe('{broken');
    expect(formatLine('', false)).toBeNull();
  });
});
