import { describe, expect, it } from '@jest/globals';
import { en as platformEn } from '../platform/texts/en.js';
import { es as platformEs } from '../platform/texts/es.js';
import { pt as platformPt } from '../platform/texts/pt.js';
import { en } from './en.js';
import { es } from './es.js';
import { pt } from './pt.js';

const texts = (value: object, path = ''): Map<string, string> =>
  new Map(
    Object.entries(value).flatMap(([key, child]) =>
      typeof child === 'string' ? [[`${path}${key}`, child] as const] : [...texts(child as object, `${path}${key}.`)],
    ),
  );
const holes = (text: string): string[] => [...text.matchAll(/\{\{(\w+)\}\}/g)].map(([, name]) => name ?? '').sort();

describe.each([
  ['es', es, en],
  ['pt', pt, en],
  ['es of the platform page', platformEs, platformEn],
  ['pt of the platform page', platformPt, platformEn],
])('the texts in %s', (_name, dictionary, original) => {
  const [own, english] = [texts(dictionary), texts(original)];

  it('are all there, and none is empty', () => {
    expect([...own.keys()].sort()).toEqual([...english.keys()].sort());
    for (const [key, text] of own) expect([key, text.trim()]).not.toEqual([key, '']);
  });

  it('have the same holes to fill as the English ones', () => {
    for (const [key, text] of english) expect([key, holes(own.get(key) ?? '')]).toEqual([key, holes(text)]);
  });
});
