import type {
  AccessRow,
  AgentList,
  AuditFinding,
  ConversationDetail,
  DecisionList,
  Disposition,
  InboxRow,
  Me,
  ParkingProcess,
  PlatformOverview,
  PlatformParkedPage,
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
  type InfiniteData,
  type UseInfiniteQueryResult,
  type UseQueryResult,
} from '@tanstack/react-query';
import type { z } from 'zod';
import { noteServerTime } from '../shared/clock.js';
import { causeOf, newestCause } from './causes.js';
import { get, onSignedOut } from './client.js';
import { live, useLiveState } from './live.js';
import type { Page } from './pages.js';

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

// Whether somebody is still signed in, when an answer or the end of the stream makes one doubt it. Not while it is being asked.
const doubtSession = (): void => {
  const session = queryClient.getQueryCache().find({ queryKey: ['session'] });
  if (session?.state.data !== undefined && session.state.fetchStatus === 'idle') session.fetch().catch(() => undefined);
};
onSignedOut(doubtSession);
live.onBreak(doubtSession);

type Pages<Item> = UseInfiniteQueryResult<InfiniteData<Page<Item>>>;
const body = async <Body>(path: string, signal: AbortSignal, causalToken: string | null = null): Promise<Body> =>
  (await get<Body>(path, { signal, causalToken })).body;

export const useSession = (): UseQueryResult<Session> =>
  useQuery({ queryKey: ['session'], queryFn: ({ signal }) => body<Session>('/session', signal), staleTime: Infinity });

/** The agent's own desk. Pointers say when it changed; while there are none it is asked for often, because offers last seconds. */
export const useMe = (enabled: boolean): UseQueryResult<Me> => {
  const refetchInterval = useLiveState() === 'live' ? 20_000 : 5000;
  return useQuery({
    queryKey: ['me'],
    enabled,
    refetchInterval,
    queryFn: async ({ signal }) => {
      const me = await body<Me>('/v1/me', signal);
      noteServerTime(me.serverTime);
      return me;
    },
  });
};

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
        view === 'mine' ? newestCause() : null,
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

export const useFindings = (): Pages<AuditFinding> =>
  useInfiniteQuery({
    queryKey: ['findings'],
    initialPageParam: '',
    queryFn: ({ pageParam, signal }) =>
      body<Page<AuditFinding>>(
        `/v1/audit/findings?limit=50${pageParam === '' ? '' : `&cursor=${encodeURIComponent(pageParam)}`}`,
        signal,
      ),
    getNextPageParam: (page) => page.nextCursor,
  });

/** Figures of the installation: no customer data, and worth nothing when they are old. */
export const usePlatformOverview = (): UseQueryResult<PlatformOverview> =>
  useQuery({
    queryKey: ['platform', 'overview'],
    refetchInterval: 5000,
    queryFn: ({ signal }) => body<PlatformOverview>('/v1/platform/overview', signal),
  });

/** Parked keys: the first of every process, or page by page those of one. */
export const useParkedKeys = (only: ParkingProcess | undefined): UseInfiniteQueryResult<InfiniteData<PlatformParkedPage>> =>
  useInfiniteQuery({
    queryKey: ['platform', 'parked', only],
    refetchInterval: 10_000,
    initialPageParam: '',
    queryFn: ({ pageParam, signal }) => {
      const query = new URLSearchParams({ ...(only && { process: only }), ...(pageParam === '' ? {} : { cursor: pageParam }) });
      return body<PlatformParkedPage>(`/v1/platform/parked${query.size === 0 ? '' : `?${query.toString()}`}`, signal);
    },
    getNextPageParam: (page) => (only === undefined ? null : (page.sources[0]?.nextCursor ?? null)),
  });
