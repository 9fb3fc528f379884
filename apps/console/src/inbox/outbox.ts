import type { Accepted, ConversationDetail, ReplyBody, ThreadItem } from '@centralita/contracts';
import { useSyncExternalStore } from 'react';
import { ApiProblem, command } from '../api/client.js';
import { live } from '../api/live.js';
import { refreshThread, shownStatus } from '../api/live-refresh.js';
import { queryClient } from '../api/queries.js';

/** A reply on its way from this page: its key is the command's, so a second try cannot send it twice. */
export type Outgoing = {
  readonly key: string;
  readonly body: ReplyBody;
  readonly text: string;
  readonly at: string;
  readonly state: 'waiting' | 'sending' | 'accepted' | 'offline';
  /** Id of the reply in the thread, once accepted. */
  readonly id: string | null;
};
/** A reply that the server refused; its text goes back to whoever wrote it. */
export type Returned = { readonly body: ReplyBody; readonly text: string; readonly error: ApiProblem };
type Box = { readonly outgoing: readonly Outgoing[]; readonly returned: Returned | null };

const empty: Box = { outgoing: [], returned: null };
const boxes = new Map<string, Box>();
const listeners = new Set<() => void>();
const busy = new Set<string>();

const boxOf = (conversation: string): Box => boxes.get(conversation) ?? empty;
const put = (conversation: string, change: (box: Box) => Box): void => {
  boxes.set(conversation, change(boxOf(conversation)));
  for (const listener of listeners) listener();
};
const mark = (conversation: string, key: string, change: Partial<Outgoing>): void =>
  put(conversation, (box) => ({
    ...box,
    outgoing: box.outgoing.map((each) => (each.key === key ? { ...each, ...change } : each)),
  }));

const FALLBACK_MS = 30_000;
const underWay: readonly ThreadItem['status'][] = [null, 'requested', 'attempted', 'accepted'];

/** Pointers say what became of a reply. Should none come, one look later on: nobody stays with a clock for ever. */
const lookLater = (conversation: string, reply: string): void => {
  setTimeout(() => {
    const thread = queryClient.getQueryCache().find({ queryKey: ['thread', conversation] });
    if (!thread?.isActive() || !underWay.includes(shownStatus(queryClient, conversation, reply))) return;
    refreshThread(queryClient, conversation).catch(() => undefined);
  }, FALLBACK_MS);
};

/** Sends what waits, one after the other: each names the state that it answers, and the answer names the next. */
const work = async (conversation: string): Promise<void> => {
  if (busy.has(conversation)) return;
  busy.add(conversation);
  try {
    for (;;) {
      const next = boxOf(conversation).outgoing.find(({ state }) => state === 'waiting');
      const detail = queryClient.getQueryData<ConversationDetail>(['conversation', conversation]);
      if (!next || !detail) return;
      mark(conversation, next.key, { state: 'sending' });
      try {
        const { body } = await command<Accepted>('POST', `/v1/conversations/${conversation}/replies`, next.body, {
          idempotencyKey: next.key,
          ifMatch: detail.replyVersion,
        });
        queryClient.setQueryData<ConversationDetail>(
          ['conversation', conversation],
          (known) => known && { ...known, replyVersion: body.version },
        );
        mark(conversation, next.key, { state: 'accepted', id: body.id });
        // The thread shows it with the pointer that is on its way; without a stream, by asking.
        if (live.state !== 'live') await refreshThread(queryClient, conversation).catch(() => undefined);
        lookLater(conversation, body.id);
      } catch (error) {
        if (!(error instanceof ApiProblem)) throw error;
        if (error.problem.retryable) mark(conversation, next.key, { state: 'offline' });
        else {
          // What was written after it was written to the same state, so it comes back too.
          const back = boxOf(conversation).outgoing.filter(({ state }) => state === 'sending' || state === 'waiting');
          const text = back.map((each) => each.text).join('\n');
          put(conversation, (box) => ({
            outgoing: box.outgoing.filter((each) => !back.includes(each)),
            returned: { body: next.body, text, error },
          }));
          await queryClient.invalidateQueries({ queryKey: ['conversation', conversation] });
          await refreshThread(queryClient, conversation).catch(() => undefined);
        }
        return;
      }
    }
  } finally {
    busy.delete(conversation);
  }
};

export const outbox = {
  send: (conversation: string, body: ReplyBody, text: string): void => {
    const entry: Outgoing = {
      key: crypto.randomUUID(),
      body,
      text,
      at: new Date().toISOString(),
      state: 'waiting',
      id: null,
    };
    put(conversation, (box) => ({ outgoing: [...box.outgoing, entry], returned: null }));
    void work(conversation);
  },
  retry: (conversation: string): void => {
    put(conversation, (box) => ({
      ...box,
      outgoing: box.outgoing.map((each) => (each.state === 'offline' ? { ...each, state: 'waiting' } : each)),
    }));
    void work(conversation);
  },
  forget: (conversation: string): void => put(conversation, (box) => ({ ...box, returned: null })),
};

// Leaving with a reply that never went out asks first: it lives in this page only.
window.addEventListener('beforeunload', (event) => {
  const unsent = [...boxes.values()].some(({ outgoing }) => outgoing.some(({ state }) => state !== 'accepted'));
  if (unsent) event.preventDefault();
});

const subscribe = (listener: () => void): (() => void) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};
export const useOutbox = (conversation: string): Box => useSyncExternalStore(subscribe, () => boxOf(conversation));
