import type {
  AccessRow,
  AgentList,
  ConversationDetail,
  DecisionList,
  Disposition,
  InboxRow,
  Me,
  QueueList,
  Session,
  Statement,
  StatementList,
  Template,
  ThreadItem,
  UsageItem,
} from '@centralita/contracts';
import {
  QueryClient,
  useInfiniteQuery,
  useQuery,
  useQueryClient,
  type InfiniteData,
  type UseInfiniteQueryResult,
  type UseQueryResult,
} from '@tanstack/react-query';
import { v5 } from 'uuid';
import { useCallback, useEffect, useMemo, useRef } from 'react';
import type { z } from 'zod';
import { noteServerTime } from '../shared/clock.js';
import { causeOf } from './causes.js';
import { get } from './client.js';
import { mergeNewest, type Page } from './pages.js';
import { useLivePointers, type LivePointer } from './live.js';

/** Customer data is fetched when it is opened and then left alone: no refetch on focus, no silent retry, gone after five minutes. */
export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 0,
      gcTime: 5 * 60_000,
      retry: false,
      refetchOnWindowFocus: false,
      refetchOnReconnect: false,
      refetchOnMount: true,
    },
  },
});

type Pages<Item> = UseInfiniteQueryResult<InfiniteData<Page<Item>>>;
const body = async <Body>(path: string, signal: AbortSignal, causalToken: string | null = null): Promise<Body> =>
  (await get<Body>(path, { signal, causalToken })).body;

export const useSession = (): UseQueryResult<Session> =>
  useQuery({ queryKey: ['session'], queryFn: ({ signal }) => body<Session>('/session', signal), staleTime: Infinity });

/** The agent's own desk. No customer data, so it may be asked for often: offers last seconds. */
export const useMe = (enabled: boolean): UseQueryResult<Me> =>
  useQuery({
    queryKey: ['me'],
    enabled,
    refetchInterval: 5000,
    queryFn: async ({ signal }) => {
      const me = await body<Me>('/v1/me', signal);
      noteServerTime(me.serverTime);
      return me;
    },
  });

export type InboxView = 'mine' | 'unassigned' | 'all' | 'closed';
export type InboxSort = 'window' | 'wait' | 'recent';

export const useInbox = (view: InboxView, sort: InboxSort): Pages<InboxRow> =>
  useInfiniteQuery({
    queryKey: ['inbox', view, sort],
    initialPageParam: '',
    queryFn: ({ pageParam, signal }) =>
      body<Page<InboxRow>>(
        `/v1/inbox?view=${view}&sort=${sort}&limit=50${pageParam === '' ? '' : `&cursor=${encodeURIComponent(pageParam)}`}`,
        signal,
      ),
    getNextPageParam: (page) => page.nextCursor,
  });

/**
 * A view that opens a conversation asks for it; a part of that view shows what came, and never asks again by itself: each answer is a
 * record.
 */
type Use = 'opens' | 'shows';
const asked = (use: Use): { refetchOnMount: boolean; retryOnMount: boolean } =>
  use === 'opens' ? { refetchOnMount: true, retryOnMount: true } : { refetchOnMount: false, retryOnMount: false };

export const useConversation = (id: string, use: Use): UseQueryResult<ConversationDetail> =>
  useQuery({
    ...asked(use),
    queryKey: ['conversation', id],
    queryFn: ({ signal }) => body<ConversationDetail>(`/v1/conversations/${id}`, signal, causeOf(id)),
  });

export const useThread = (id: string, use: Use): Pages<ThreadItem> =>
  useInfiniteQuery({
    ...asked(use),
    queryKey: ['thread', id],
    initialPageParam: '',
    queryFn: ({ pageParam, signal }) =>
      body<Page<ThreadItem>>(
        `/v1/conversations/${id}/messages${pageParam === '' ? '' : `?cursor=${encodeURIComponent(pageParam)}`}`,
        signal,
        causeOf(id),
      ),
    getNextPageParam: (page) => page.nextCursor,
  });

const reference = <Body>(key: string, path: string): (() => UseQueryResult<Body>) => {
  const use = (): UseQueryResult<Body> =>
    useQuery({ queryKey: [key], queryFn: ({ signal }) => body<Body>(path, signal), staleTime: Infinity });
  return use;
};
export const useTemplates = reference<{ items: Template[] }>('templates', '/v1/templates');
export const useDispositions = reference<{ items: Disposition[] }>('dispositions', '/v1/dispositions');
export const useQueues = reference<z.infer<typeof QueueList>>('queues', '/v1/queues');
export const useAgents = reference<z.infer<typeof AgentList>>('agents', '/v1/agents');

export const useDecisions = (taskId: string, enabled: boolean): UseQueryResult<z.infer<typeof DecisionList>> =>
  useQuery({ queryKey: ['decisions', taskId], enabled, queryFn: ({ signal }) => body(`/v1/decisions/${taskId}`, signal) });

export const useStatements = (): UseQueryResult<z.infer<typeof StatementList>> =>
  useQuery({ queryKey: ['statements'], queryFn: ({ signal }) => body('/v1/statements', signal) });
export const useStatement = (wabaId: string, month: string): UseQueryResult<Statement> =>
  useQuery({
    queryKey: ['statement', wabaId, month],
    queryFn: ({ signal }) => body(`/v1/statements/${wabaId}/${month}`, signal),
  });
export const useLineUsage = (wabaId: string, month: string, lineId: string): Pages<UsageItem> =>
  useInfiniteQuery({
    queryKey: ['usage', wabaId, month, lineId],
    initialPageParam: '',
    queryFn: ({ pageParam, signal }) =>
      body<Page<UsageItem>>(
        `/v1/statements/${wabaId}/${month}/lines/${encodeURIComponent(lineId)}/usage?limit=50${pageParam === '' ? '' : `&cursor=${encodeURIComponent(pageParam)}`}`,
        signal,
      ),
    getNextPageParam: (page) => page.nextCursor,
  });

export type AccessSearch = { readonly subject?: string; readonly actor?: string; readonly from?: string; readonly to?: string };
export type AccessAnswer = Page<AccessRow> & {
  readonly complete: {
    readonly state: 'complete' | 'gap' | 'not_a_subject';
    readonly expected: number | null;
    readonly found: number;
  };
};
export const useAccessRecords = (search: AccessSearch | null): UseInfiniteQueryResult<InfiniteData<AccessAnswer>> =>
  useInfiniteQuery({
    queryKey: ['access', search],
    enabled: search !== null,
    initialPageParam: '',
    queryFn: ({ pageParam, signal }) => {
      const query = new URLSearchParams({ limit: '50', ...search, ...(pageParam === '' ? {} : { cursor: pageParam }) });
      return body<AccessAnswer>(`/v1/access-records?${query.toString()}`, signal);
    },
    getNextPageParam: (page) => page.nextCursor,
  });

/** Asks for the newest messages of an open conversation only: older pages do not change, and every page is a record. */
export const refreshThread = async (client: QueryClient, id: string): Promise<void> => {
  const key = ['thread', id];
  const loaded = client.getQueryData<InfiniteData<Page<ThreadItem>>>(key);
  if (!loaded) return client.invalidateQueries({ queryKey: key });
  const { body: newest } = await get<Page<ThreadItem>>(`/v1/conversations/${id}/messages`);
  client.setQueryData<InfiniteData<Page<ThreadItem>>>(key, (now) => now && mergeNewest(now, newest));
};

const SETTLE_MS = 250;

/** Refreshes what a pointer is about, at most four times a second: the list, the open conversation, the own desk. */
export const useLiveRefresh = (tenantId: string, openConversation: string | null): void => {
  const client = useQueryClient();
  const due = useRef(new Set<'me' | 'inbox' | 'open'>());
  const timer = useRef<ReturnType<typeof setTimeout> | null>(null);
  useEffect(() => () => clearTimeout(timer.current ?? undefined), []);
  const streams = useMemo(
    () => (openConversation === null ? [] : [openConversation, v5(`task:${openConversation}`, tenantId)]),
    [openConversation, tenantId],
  );
  useLivePointers(
    useCallback(
      (pointer: LivePointer) => {
        if (pointer.service === 'routing') due.current.add('me');
        if (pointer.service === 'conversation' || /^task\.(assigned|queued|transferred)/.test(pointer.type))
          due.current.add('inbox');
        if (streams.includes(pointer.streamId)) due.current.add('open');
        timer.current ??= setTimeout(() => {
          timer.current = null;
          const refresh = new Set(due.current);
          due.current.clear();
          for (const key of ['me', 'inbox'] as const) if (refresh.has(key)) void client.invalidateQueries({ queryKey: [key] });
          if (!refresh.has('open') || openConversation === null) return;
          void client.invalidateQueries({ queryKey: ['conversation', openConversation] });
          // What could not be fetched now comes with the next pointer, or when a person asks.
          refreshThread(client, openConversation).catch(() => undefined);
        }, SETTLE_MS);
      },
      [client, openConversation, streams],
    ),
  );
};
