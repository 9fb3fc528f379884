import type {
  AccessRow,
  AgentList,
  Board,
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
import { QueryClient, useInfiniteQuery, useQuery, useQueryClient, type UseQueryResult } from '@tanstack/react-query';
import { useCallback, useEffect, useRef } from 'react';
import type { z } from 'zod';
import { noteServerTime } from '../shared/clock.js';
import { get } from './client.js';
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

type Page<Item> = { readonly items: readonly Item[]; readonly nextCursor: string | null };
const body = async <Body>(path: string, signal: AbortSignal): Promise<Body> => (await get<Body>(path, { signal })).body;

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

export const useInbox = (view: InboxView, sort: InboxSort) =>
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

export const useConversation = (id: string): UseQueryResult<ConversationDetail> =>
  useQuery({
    queryKey: ['conversation', id],
    queryFn: ({ signal }) => body<ConversationDetail>(`/v1/conversations/${id}`, signal),
  });

export const useThread = (id: string) =>
  useInfiniteQuery({
    queryKey: ['thread', id],
    initialPageParam: '',
    queryFn: ({ pageParam, signal }) =>
      body<Page<ThreadItem>>(
        `/v1/conversations/${id}/messages${pageParam === '' ? '' : `?cursor=${encodeURIComponent(pageParam)}`}`,
        signal,
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
export const useBoard = reference<Board>('board', '/v1/board');

export const useDecisions = (taskId: string, enabled: boolean): UseQueryResult<z.infer<typeof DecisionList>> =>
  useQuery({ queryKey: ['decisions', taskId], enabled, queryFn: ({ signal }) => body(`/v1/decisions/${taskId}`, signal) });

export const useStatements = (): UseQueryResult<z.infer<typeof StatementList>> =>
  useQuery({ queryKey: ['statements'], queryFn: ({ signal }) => body('/v1/statements', signal) });
export const useStatement = (wabaId: string, month: string): UseQueryResult<Statement> =>
  useQuery({
    queryKey: ['statement', wabaId, month],
    queryFn: ({ signal }) => body(`/v1/statements/${wabaId}/${month}`, signal),
  });
export const useLineUsage = (wabaId: string, month: string, lineId: string) =>
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
export const useAccessRecords = (search: AccessSearch | null) =>
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

const SETTLE_MS = 250;

/** Refreshes what a pointer is about, once per burst: the list that is shown, the conversation that is open, the own desk. */
export const useLiveRefresh = (openConversation: string | null): void => {
  const client = useQueryClient();
  const due = useRef(new Set<string>());
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);
  useLivePointers(
    useCallback(
      (pointer: LivePointer) => {
        if (pointer.service === 'routing') due.current.add('me').add('inbox');
        if (pointer.service === 'conversation') due.current.add('inbox');
        if (openConversation !== null && pointer.streamId === openConversation) due.current.add('open');
        clearTimeout(timer.current);
        timer.current = setTimeout(() => {
          const keys = [...due.current];
          due.current.clear();
          for (const key of keys) {
            if (key === 'open') {
              void client.invalidateQueries({ queryKey: ['conversation', openConversation] });
              void client.invalidateQueries({ queryKey: ['thread', openConversation] });
            } else void client.invalidateQueries({ queryKey: [key] });
          }
        }, SETTLE_MS);
      },
      [client, openConversation],
    ),
  );
};
