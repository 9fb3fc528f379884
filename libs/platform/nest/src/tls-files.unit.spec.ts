import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { tlsFrom } from './tls-files.js';

describe('certificates in files', () => {
  const folder = mkdtempSync(join(tmpdir(), 'centralita-tls-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const file = (name: string, contents: string): string => {
    writeFileSync(join(folder, name), contents);
    return join(folder, name);
  };

  it('are read again for each connection, also by whoever copies what it was given', () => {
    let now = 0;
    const ca = file('ca', 'one');
    const sut = tlsFrom({ ca }, () => now);
    expect({ ...sut }).toEqual({ ca: ['one'] });
    file('ca', 'two');
    // what a client reads for one connection belongs together
    now = 999;
    expect({ ...sut }).toEqual({ ca: ['one'] });
    now = 1000;
    expect({ ...sut }).toEqual({ ca: ['two'] });
    rmSync(ca);
    now = 2000;
    expect({ ...sut }).toEqual({ ca: ['two'] });
  });

  it('stay what they were while key and certificate do not belong together', () => {
    let now = 0;
    const sut = tlsFrom({ cert: file('cert', 'cert one'), key: file('key', 'key one') }, () => now);
    file('key', 'key two');
    now = 1000;
    expect({ ...sut }).toEqual({ cert: 'cert one', key: 'key one' });
  });

  it('have to be there at first', () => {
    expect(() => tlsFrom({ ca: join(folder, 'nowhere') })).toThrow();
  });
});
