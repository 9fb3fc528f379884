import type { InboxRow, ThreadItem } from '@centralita/contracts';
import { useQueryClient, type InfiniteData, type QueryClient } from '@tanstack/react-query';
import { useCallback, useEffect, useMemo, useRef } from 'react';
import { v5 } from 'uuid';
import { get } from './client.js';
import { useLiveGap, useLivePointers, type LivePointer } from './live.js';
import { mergeNewest, type Page } from './pages.js';
import { useMe, type InboxView } from './queries.js';
import { staleBy, type Shown, type Stale } from './stale.js';

type Thread = InfiniteData<Page<ThreadItem>>;
type Lists = InfiniteData<Page<InboxRow>>;

/** Asks for the newest messages of an open conversation only: older pages do not change, and every page is a record. */
export const refreshThread = async (client: QueryClient, id: string): Promise<void> => {
  const key = ['thread', id];
  const loaded = client.getQueryData<Thread>(key);
  if (!loaded) return client.invalidateQueries({ queryKey: key });
  const { body: newest } = await get<Page<ThreadItem>>(`/v1/conversations/${id}/messages`);
  client.setQueryData<Thread>(key, (now) => now && mergeNewest(now, newest));
};

const failures = (thread: Thread | undefined): number =>
  thread?.pages[0]?.items.filter(({ status }) => status === 'failed' || status === 'refused').length ?? 0;

/** Asks what became of the replies; a failure may mean that the window is closed, which the conversation says. */
const refreshStatuses = async (client: QueryClient, id: string): Promise<void> => {
  const before = failures(client.getQueryData<Thread>(['thread', id]));
  await refreshThread(client, id);
  if (failures(client.getQueryData<Thread>(['thread', id])) > before)
    await client.invalidateQueries({ queryKey: ['conversation', id] });
};

/** How long to gather pointers before asking, and how long to leave it at that. What many may change is asked for less often. */
const SETTLE_MS: Readonly<Record<Stale, number>> = { desk: 250, conversation: 250, statuses: 750, list: 250 };
const LIST_OF_MANY_MS = 2500;

type Timers = Map<Stale, ReturnType<typeof setTimeout>>;
const cancel = (timers: Timers, due: readonly Stale[]): void => {
  for (const stale of due) {
    clearTimeout(timers.get(stale));
    timers.delete(stale);
  }
};

/** Refreshes what pointers make old, gathered a little: the list, the open conversation, the own desk. */
export const useLiveRefresh = (tenantId: string, view: InboxView, conversation: string | null, isAgent: boolean): void => {
  const client = useQueryClient();
  const timers = useRef<Timers>(new Map());
  // What is due for a conversation is not due any more when another is opened; the desk and the list stay.
  useEffect(() => {
    const running = timers.current;
    return () => cancel(running, ['conversation', 'statuses']);
  }, [conversation]);
  useEffect(() => {
    const running = timers.current;
    return () => cancel(running, ['desk', 'list']);
  }, []);
  const shown = useMemo(
    (): Shown => ({
      open: conversation === null ? null : { conversation, task: v5(`task:${conversation}`, tenantId) },
      onlyMine: view === 'mine',
      listed: (id) =>
        client
          .getQueriesData<Lists>({ queryKey: ['inbox', view] })
          .some(([, lists]) => lists?.pages.some(({ items }) => items.some(({ conversationId }) => conversationId === id))),
    }),
    [client, conversation, tenantId, view],
  );

  const refresh = useCallback(
    (stale: Stale): void => {
      timers.current.delete(stale);
      // What cannot be fetched now comes with the next pointer, or when a person asks.
      const quietly = (work: Promise<void>): void => void work.catch(() => undefined);
      if (stale === 'desk') quietly(client.invalidateQueries({ queryKey: ['me'] }));
      else if (stale === 'list') quietly(client.invalidateQueries({ queryKey: ['inbox'] }));
      else if (conversation === null) return;
      else if (stale === 'statuses') quietly(refreshStatuses(client, conversation));
      else {
        quietly(client.invalidateQueries({ queryKey: ['conversation', conversation] }));
        quietly(refreshThread(client, conversation));
      }
    },
    [client, conversation],
  );
  const schedule = useCallback(
    (stale: Stale): void => {
      if (timers.current.has(stale)) return;
      // The whole conversation brings the statuses along.
      if (stale === 'statuses' && timers.current.has('conversation')) return;
      const wait = stale === 'list' && view !== 'mine' ? LIST_OF_MANY_MS : SETTLE_MS[stale];
      timers.current.set(
        stale,
        setTimeout(() => refresh(stale), wait),
      );
    },
    [refresh, view],
  );
  useLivePointers(
    useCallback(
      (pointer: LivePointer) => {
        for (const stale of staleBy(pointer, shown)) schedule(stale);
      },
      [schedule, shown],
    ),
  );

  useLiveGap(
    useCallback(() => {
      for (const stale of ['desk', 'list', 'conversation'] as const) schedule(stale);
    }, [schedule]),
  );

  // What came to the desk or left it has come to the own list or left it.
  const desk = useMe(isAgent).data?.tasks.map(({ taskId, state }) => `${taskId} ${state}`);
  const tasks = desk?.toSorted().join();
  const before = useRef(tasks);
  useEffect(() => {
    const changed = before.current !== undefined && before.current !== tasks;
    before.current = tasks;
    if (changed && view === 'mine') schedule('list');
  }, [schedule, tasks, view]);
};

/** Takes the number of unread messages off the rows of a conversation that was read here. */
export const forgetUnread = (client: QueryClient, id: string): void => {
  const seen = (row: InboxRow): InboxRow => (row.conversationId === id ? { ...row, unread: 0 } : row);
  client.setQueriesData<Lists>(
    { queryKey: ['inbox'] },
    (lists) => lists && { ...lists, pages: lists.pages.map((page) => ({ ...page, items: page.items.map(seen) })) },
  );
};

/** Status of a reply as the loaded thread shows it. */
export const shownStatus = (client: QueryClient, id: string, reply: string): ThreadItem['status'] =>
  client.getQueryData<Thread>(['thread', id])?.pages[0]?.items.find((item) => item.id === reply)?.status ?? null;
