import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { matchesChecksum } from './checksum.js';

const bytes = Buffer.from('bytes');
const hash = (encoding: 'hex' | 'base64' | 'base64url'): string => createHash('sha256').update(bytes).digest(encoding);
const wrong = createHash('sha256').update('other').digest('hex');

describe('a checksum', () => {
  it('is read in every writing of the provider', () => {
    for (const checksum of [hash('hex'), hash('hex').toUpperCase(), hash('base64'), hash('base64url')])
      expect(matchesChecksum(bytes, checksum)).toBe(true);
  });

  it('that is wrong is noticed, and one that is none is passed over', () => {
    expect(matchesChecksum(bytes, wrong)).toBe(false);
    expect(matchesChecksum(bytes, hash('hex'), wrong)).toBe(false);
    expect(matchesChecksum(bytes, null, '', 'abc', 'not a checksum')).toBe(true);
  });
});
