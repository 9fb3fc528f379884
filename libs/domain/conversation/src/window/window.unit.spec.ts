import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { DAY_MS, HOUR_MS, instant, millis } from '../time.js';
import {
  callOpensWindow,
  contradictWindow,
  effectiveTime,
  evolveWindow,
  isUserCall,
  noWindow,
  openWindow,
  windowExpiresAt,
} from './window.js';

const t0 = millis('2026-11-23T10:00:00.000Z');
const at = (offset: number): string => instant(t0 + offset);
const anOffset = fc.integer({ min: -10 * DAY_MS, max: 10 * DAY_MS });

describe('the customer service window', () => {
  it('lasts 24 hours from the last message', () => {
    expect(windowExpiresAt(openWindow(noWindow, at(0)))).toBe(at(24 * HOUR_MS));
  });

  it('never opened without a message', () => {
    expect(windowExpiresAt(noWindow)).toBeNull();
    expect(windowExpiresAt(contradictWindow(noWindow, at(0)))).toBeNull();
  });

  it('does not depend on the order, or on repetition, of what opened or contradicted it', () => {
    const evidence = fc.array(fc.record({ kind: fc.constantFrom('open', 'contradict'), offset: anOffset }), { maxLength: 20 });
    const shuffled = evidence.chain((list) =>
      fc.tuple(fc.constant(list), fc.shuffledSubarray([...list, ...list], { minLength: 2 * list.length })),
    );
    const fold = (list: readonly { kind: string; offset: number }[]): string | null =>
      windowExpiresAt(
        list.reduce((state, { kind, offset }) => (kind === 'open' ? openWindow : contradictWindow)(state, at(offset)), noWindow),
      );
    fc.assert(fc.property(shuffled, ([list, other]) => expect(fold(other)).toBe(fold(list))));
  });

  it('folds recorded windows: one that is older moves nothing', () => {
    const event = (offset: number): Parameters<typeof evolveWindow>[1] => ({
      type: 'conversation.window.opened.v1',
      data: { subjectId: 's', phoneNumberId: '1', openedAt: at(offset), expiresAt: at(offset + DAY_MS), causeRef: 'r' },
    });
    const state = evolveWindow(evolveWindow(noWindow, event(HOUR_MS)), event(0));
    expect(windowExpiresAt(state)).toBe(at(25 * HOUR_MS));
  });

  it('believes the provider when it says closed, until the customer writes again', () => {
    const contradicted = contradictWindow(openWindow(noWindow, at(0)), at(HOUR_MS));
    expect(windowExpiresAt(contradicted)).toBe(at(HOUR_MS));
    expect(windowExpiresAt(openWindow(contradicted, at(2 * HOUR_MS)))).toBe(at(26 * HOUR_MS));
    // Customers' times are whole seconds: what was written in the second of the refused call may have been written after it.
    const refused = contradictWindow(openWindow(noWindow, at(0)), at(HOUR_MS + 900));
    expect(windowExpiresAt(openWindow(refused, at(HOUR_MS)))).toBe(at(25 * HOUR_MS));
    // A contradiction that comes after the window's own end changes nothing.
    expect(windowExpiresAt(contradictWindow(openWindow(noWindow, at(0)), at(30 * HOUR_MS)))).toBe(at(24 * HOUR_MS));
  });
});

describe('effective time', () => {
  it('is the provider time as long as that can be true', () => {
    expect(effectiveTime(at(-HOUR_MS), at(0))).toBe(at(-HOUR_MS));
  });
  it('is never more than 8 days before or 5 minutes after recording', () => {
    fc.assert(
      fc.property(anOffset, (offset) => {
        const effective = millis(effectiveTime(at(offset), at(0))) - t0;
        expect(effective).toBeGreaterThanOrEqual(-8 * DAY_MS);
        expect(effective).toBeLessThanOrEqual(5 * 60_000);
        if (offset >= -8 * DAY_MS && offset <= 5 * 60_000) expect(effective).toBe(offset);
      }),
    );
  });
});

describe('calls and the window', () => {
  it.each([
    ['the customer calls', { event: 'connect', direction: 'USER_INITIATED', status: null }, true, true],
    ['the call of the customer ends', { event: 'terminate', direction: 'USER_INITIATED', status: 'COMPLETED' }, false, false],
    ['we call', { event: 'connect', direction: 'BUSINESS_INITIATED', status: null }, false, false],
    ['our call rings', { event: 'status', direction: null, status: 'RINGING' }, false, false],
    ['our call is accepted', { event: 'status', direction: null, status: 'ACCEPTED' }, true, false],
  ])('%s', (_, call, opens, ofUser) => {
    expect(callOpensWindow(call)).toBe(opens);
    expect(isUserCall(call)).toBe(ofUser);
  });
});
