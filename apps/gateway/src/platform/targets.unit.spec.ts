import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { readTargets } from './targets.js';

describe('the file of targets', () => {
  const folder = mkdtempSync(join(tmpdir(), 'targets-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const read = (content: unknown): ReturnType<typeof readTargets> => {
    const path = join(folder, 'targets.json');
    writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
    return readTargets(path);
  };

  it('names processes, also several of one', () => {
    expect(
      read([
        { name: 'conversation/blue', url: 'http://10.0.0.1:9090/' },
        { name: 'ingest-sender', url: 'https://sender:9090', api: 'https://sender:8080/' },
      ]),
    ).toEqual([
      { name: 'conversation/blue', process: 'conversation', instance: 'blue', url: 'http://10.0.0.1:9090', api: undefined },
      {
        name: 'ingest-sender',
        process: 'ingest-sender',
        instance: null,
        url: 'https://sender:9090',
        api: 'https://sender:8080',
      },
    ]);
  });

  it.each([
    ['no JSON', '{'],
    ['nobody', []],
    ['a process of somebody else', [{ name: 'nginx', url: 'http://a' }]],
    ['an instance without a name', [{ name: 'billing/', url: 'http://a' }]],
    ['too deep a name', [{ name: 'billing/1/2', url: 'http://a' }]],
    ['another protocol', [{ name: 'billing', url: 'file:///etc/passwd' }]],
    [
      'one name twice',
      [
        { name: 'billing', url: 'http://a' },
        { name: 'billing', url: 'http://b' },
      ],
    ],
    ['a fleet', Array.from({ length: 65 }, (_, index) => ({ name: `billing/${index}`, url: 'http://a' }))],
  ])('is refused with %s', (_what, content) => {
    expect(() => read(content)).toThrow();
  });
});
