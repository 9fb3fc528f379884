import { completenessOf, type Awaited } from './completeness.js';

const RECEIVED = Date.parse('2026-09-01T12:00:00Z');
const of = (changed: Partial<Awaited>): string =>
  completenessOf({
    factsCompleteUntil: RECEIVED - 1,
    receivedAt: RECEIVED,
    ageMs: 0,
    uptimeMs: 3_600_000,
    patienceMs: 1_000,
    ...changed,
  });

describe('the facts about a record', () => {
  it('are complete when all is known that was published a little after it came, however long that took', () => {
    expect(of({ factsCompleteUntil: RECEIVED + 1_000 })).toBe('complete');
    expect(of({ factsCompleteUntil: RECEIVED + 1_000, ageMs: 600_000 })).toBe('complete');
    expect(of({ factsCompleteUntil: RECEIVED + 999 })).toBe('awaited');
  });

  it('are missing when they have not come for a minute', () => {
    expect(of({ ageMs: 59_999 })).toBe('awaited');
    expect(of({ ageMs: 60_000 })).toBe('missing');
  });

  it('are awaited for that minute too by a process that was away and finds an old record', () => {
    expect(of({ ageMs: 600_000, uptimeMs: 2_000 })).toBe('awaited');
    expect(of({ ageMs: 600_000, uptimeMs: 60_000 })).toBe('missing');
  });
});
