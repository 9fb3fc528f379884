import { describe, expect, it } from '@jest/globals';
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
  ['es', es],
  ['pt', pt],
])('the texts in %s', (_name, dictionary) => {
  const [own, english] = [texts(dictionary), texts(en)];

  it('are all there, and none is empty', () => {
    expect([...own.keys()].sort()).toEqual([...english.keys()].sort());
    for (const [key, text] of own) expect([key, text.trim()]).not.toEqual([key, '']);
  });

  it('have the same holes to fill as the English ones', () => {
    for (const [key, text] of english) expect([key, holes(own.get(key) ?? '')]).toEqual([key, holes(text)]);
  });
});
