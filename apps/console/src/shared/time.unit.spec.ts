import { describe, expect, it } from '@jest/globals';
import { minutesSeconds, windowState } from './time.js';

const now = Date.parse('2026-11-23T10:00:00.000Z');
const left = (hours: number) => new Date(now + hours * 3_600_000).toISOString();

describe('the window', () => {
  it.each([
    ['calm', 18.5, '18 h'],
    ['calm', 23.99, '23 h'],
    ['soon', 3.9, '3:54'],
    ['soon', 1.01, '1:00'],
    ['late', 0.7, '42:00'],
    ['late', 0.001, '00:03'],
  ])('is %s with %d hours left and says %s', (kind, hours, label) => {
    expect(windowState(left(hours), now)).toMatchObject({ kind, label });
  });

  it('is closed at its end, to the millisecond', () => {
    expect(windowState(left(0), now).kind).toBe('closed');
    expect(windowState(new Date(now + 1).toISOString(), now).kind).toBe('late');
  });

  it('says nothing when nobody wrote', () => {
    expect(windowState(null, now).kind).toBe('none');
  });

  it('drains: its share of 24 hours never grows above one', () => {
    expect(windowState(left(30), now).share).toBe(1);
    expect(windowState(left(12), now).share).toBe(0.5);
  });
});

it('counts minutes and seconds', () => {
  expect(minutesSeconds(61_000)).toBe('01:01');
});
