import { describe, expect, it, jest } from '@jest/globals';
import { tryRender } from '../helm/render.js';
import { installation } from '../chart/cases.js';
import { refused, sentencesOf, valuesOf } from './refused.js';

// Each test starts helm, some several times: a quarter of a second on a quiet machine, much more on one that is busy.
jest.setTimeout(60_000);

describe('wrong values', () => {
  const all = refused();

  it('are many, of every profile', () => {
    expect(all.length).toBeGreaterThanOrEqual(30);
    for (const profile of ['any/', 'production/', 'compliance/'])
      expect(all.filter(({ name }) => name.startsWith(profile)).length).toBeGreaterThanOrEqual(5);
  });

  it.each(all.map((one) => [one.name, one] as const))('are told by the sentences that mend them, and no others: %s', (_, one) => {
    expect(one.sentences).not.toEqual([]);
    expect(sentencesOf(valuesOf(one))).toEqual(one.sentences);
  });

  it.each(['dev', 'production', 'compliance'])(
    'are wrong by what is in their file: without it, profile %s renders',
    (profile) => {
      expect(tryRender({ values: { ...installation, profile } })).toMatchObject({ status: 0, stderr: '' });
    },
  );
});
