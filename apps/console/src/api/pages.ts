import type { ThreadItem } from '@centralita/contracts';
import type { InfiniteData } from '@tanstack/react-query';

export type Page<Item> = { readonly items: readonly Item[]; readonly nextCursor: string | null };

/** Puts the newest page before what is loaded. When the two do not touch, something is missing between them: only the newest is kept. */
export const mergeNewest = (loaded: InfiniteData<Page<ThreadItem>>, newest: Page<ThreadItem>): InfiniteData<Page<ThreadItem>> => {
  const [first, ...older] = loaded.pages;
  const fresh = new Set(newest.items.map(({ id }) => id));
  if (!first?.items.some(({ id }) => fresh.has(id))) return { pages: [newest], pageParams: loaded.pageParams.slice(0, 1) };
  const items = [...newest.items, ...first.items.filter(({ id }) => !fresh.has(id))];
  return { ...loaded, pages: [{ items, nextCursor: first.nextCursor }, ...older] };
};
