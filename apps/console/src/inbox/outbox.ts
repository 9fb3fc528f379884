import type { Accepted, ConversationDetail, ReplyBody } from '@centralita/contracts';
import { useSyncExternalStore } from 'react';
import { ApiProblem, command } from '../api/client.js';
import { queryClient, refreshThread } from '../api/queries.js';

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

/** What is on its way to the customer shows its fate by asking again; statuses of the provider come without a pointer. */
const FOLLOW_MS = [1500, 4000, 10_000, 30_000];
const follow = (conversation: string): void => {
  for (const pause of FOLLOW_MS)
    setTimeout(() => {
      const open = queryClient
        .getQueryCache()
        .find({ queryKey: ['thread', conversation] })
        ?.isActive();
      if (open) refreshThread(queryClient, conversation).catch(() => undefined);
    }, pause);
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
        await refreshThread(queryClient, conversation).catch(() => undefined);
        follow(conversation);
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
