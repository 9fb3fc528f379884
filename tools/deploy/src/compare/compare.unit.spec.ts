import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { comparisonFile, comparisonPage } from './page.js';
import { ourRow } from './row.js';

describe('the comparison of charts', () => {
  it('is what the script writes now: run `npm run chart:compare`', () => {
    expect(readFileSync(comparisonFile, 'utf8')).toBe(comparisonPage());
  });

  it('has every container of ours hardened, and every process probed', () => {
    const row = ourRow();
    for (const field of ['runAsNonRoot', 'dropAll', 'seccomp', 'readOnlyRoot', 'requests'] as const)
      expect(row[field]).toBe(row.containers);
    expect(row.liveness).toBe(9);
    expect(row.readiness).toBe(9);
  });
});
