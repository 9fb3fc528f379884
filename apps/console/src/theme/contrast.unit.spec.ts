import { describe, expect, it } from '@jest/globals';
import { contrast } from './contrast.js';
import { roles, type RoleName } from './roles.js';

const text: readonly (readonly [RoleName, RoleName, number])[] = [
  ['ink', 'page', 10],
  ['ink', 'sheet', 10],
  ['ink', 'ground', 10],
  ['dim', 'page', 4.5],
  ['dim', 'sheet', 4.5],
  ['dim', 'ground', 4.5],
  ['link', 'page', 4.5],
  ['link', 'ground', 4.5],
  ['on-button', 'button', 4.5],
  ['ink', 'outbound', 10],
  ['ink', 'note', 10],
  ['ink', 'selected', 10],
  ['error', 'page', 4.5],
  ['ok', 'page', 4.5],
  ['warn', 'page', 4.5],
  ['chip-calm-ink', 'chip-calm', 4.5],
  ['chip-soon-ink', 'chip-soon', 4.5],
  ['chip-late-ink', 'chip-late', 4.5],
  ['chip-closed-ink', 'page', 4.5],
  ['chip-free-ink', 'chip-free', 4.5],
  ['edge', 'page', 3],
  ['line-calm', 'line-track', 3],
  ['line-soon', 'line-track', 3],
  ['line-late', 'line-track', 3],
];

describe.each([
  ['light', 0],
  ['dark', 1],
] as const)('contrast in the %s scheme', (_name, index) => {
  it.each(text)('%s on %s is at least %d', (front, back, least) => {
    expect(contrast(roles[front][index] ?? '', roles[back][index] ?? '')).toBeGreaterThanOrEqual(least);
  });
});
