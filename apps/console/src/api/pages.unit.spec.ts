import { describe, expect, it } from '@jest/globals';
import type { ThreadItem } from '@centralita/contracts';
import { mergeNewest, type Page } from './pages.js';

const page = (ids: string, nextCursor: string | null = 'older'): Page<ThreadItem> => ({
  items: [...ids].map((id) => ({ id }) as ThreadItem),
  nextCursor,
});
const ids = (pages: readonly Page<ThreadItem>[]): string[] => pages.map(({ items }) => items.map(({ id }) => id).join(''));

describe('the newest messages', () => {
  it('are put before what is loaded, once each, and older pages stay', () => {
    const loaded = { pages: [page('cba', 'x'), page('zy', null)], pageParams: ['', 'x'] };
    const merged = mergeNewest(loaded, page('edcb', 'w'));
    expect(ids(merged.pages)).toEqual(['edcba', 'zy']);
    expect(merged.pages[0]?.nextCursor).toBe('x');
    expect(merged.pageParams).toEqual(['', 'x']);
  });

  it('stand alone when something is missing in between', () => {
    const loaded = { pages: [page('cba', 'x'), page('zy', null)], pageParams: ['', 'x'] };
    expect(mergeNewest(loaded, page('hgf', 'e'))).toEqual({ pages: [page('hgf', 'e')], pageParams: [''] });
  });
});
