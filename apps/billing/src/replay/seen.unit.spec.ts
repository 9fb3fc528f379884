import { randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { SeenMessages } from './seen.js';

describe('the messages that a replay has seen', () => {
  it('are all known again, and hardly any other', () => {
    const references = (count: number): string[] => Array.from({ length: count }, () => randomBytes(16).toString('base64url'));
    const [stored, others] = [references(20_000), references(20_000)];
    const sut = new SeenMessages();
    expect(stored.some((reference) => sut.mayHave(reference))).toBe(false);
    for (const reference of stored) sut.add(reference);
    expect(stored.every((reference) => sut.mayHave(reference))).toBe(true);
    // one in six thousand by the size of the filter
    expect(others.filter((reference) => sut.mayHave(reference)).length).toBeLessThan(30);
  });
});
