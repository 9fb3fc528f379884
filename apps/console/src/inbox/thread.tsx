import type { ThreadItem } from '@centralita/contracts';
import { Button } from '@mantine/core';
import { useEffect, useLayoutEffect, useMemo, useRef, useState, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { Virtualizer, type VirtualizerHandle } from 'virtua';
import { useThread } from '../api/queries.js';
import { announce } from '../shared/announcer.js';
import { ProblemNotice } from '../shared/problem-notice.js';
import { Waiting } from '../shared/waiting.js';
import { furtherStatus, linesOf } from './lines.js';
import { Message, OutgoingMessage } from './message.js';
import { outbox, useOutbox } from './outbox.js';
import classes from './thread.module.css';

const NEAR_END = 80;

/** Keeps each message at the furthest status that was seen: an answer that was on its way when a newer one came must not take it back. */
const useForwardOnly = (items: readonly ThreadItem[]): ThreadItem[] => {
  const seen = useRef(new Map<string, Pick<ThreadItem, 'status' | 'statusCode'>>());
  return useMemo(
    () =>
      items.map((item) => {
        if (item.status === null) return item;
        const before = seen.current.get(item.id);
        const status = before?.status ? furtherStatus(before.status, item.status) : item.status;
        const shown = status === item.status ? item : { ...item, status, statusCode: before?.statusCode ?? null };
        seen.current.set(item.id, { status: shown.status, statusCode: shown.statusCode });
        return shown;
      }),
    [items],
  );
};

/** The messages of a conversation. It follows the end only for those who are there; others see how many came. */
export const Thread = ({ id, onWhy }: { readonly id: string; readonly onWhy: () => void }): ReactNode => {
  const { t } = useTranslation();
  const thread = useThread(id, 'shows');
  const { outgoing } = useOutbox(id);
  const scroller = useRef<HTMLDivElement>(null);
  const virtual = useRef<VirtualizerHandle>(null);
  const atEnd = useRef(true);
  const [prepending, setPrepending] = useState(false);
  const [behind, setBehind] = useState(0);

  const pages = thread.data?.pages;
  const items = useForwardOnly(useMemo(() => pages?.flatMap((page) => page.items).toReversed() ?? [], [pages]));
  const lines = useMemo(() => linesOf(items), [items]);
  const pending = outgoing.filter((entry) => entry.id === null || !items.some((item) => item.id === entry.id));
  const count = lines.length + pending.length;
  const newest = items.at(-1);

  const toEnd = (): void => virtual.current?.scrollToIndex(count - 1, { align: 'end' });
  useLayoutEffect(() => {
    if (atEnd.current && count > 0) virtual.current?.scrollToIndex(count - 1, { align: 'end' });
  }, [count]);
  // The end stays in sight when the composer grows or the window changes.
  useEffect(() => {
    const element = scroller.current;
    if (!element) return undefined;
    const observer = new ResizeObserver(() => {
      if (atEnd.current) element.scrollTop = element.scrollHeight;
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  const known = useRef<{ readonly id: string; readonly length: number } | null>(null);
  useEffect(() => {
    if (!newest) return;
    const before = known.current;
    known.current = { id: newest.id, length: items.length };
    if (!before || before.id === newest.id) return;
    const fresh = items.slice(items.findIndex((item) => item.id === before.id) + 1).filter(({ kind }) => kind === 'inbound');
    if (!atEnd.current) setBehind((count) => count + fresh.length);
    if (fresh.length === 1) announce(`${t('thread.newMessage')}: ${fresh[0]?.text ?? ''}`);
    else if (fresh.length > 1) announce(t('thread.newer', { count: fresh.length }));
  }, [newest, items, t]);

  const onScroll = (): void => {
    const element = scroller.current;
    if (!element) return;
    atEnd.current = element.scrollHeight - element.scrollTop - element.clientHeight < NEAR_END;
    if (atEnd.current) setBehind(0);
  };
  const older = async (): Promise<void> => {
    setPrepending(true);
    await thread.fetchNextPage();
    // Where one was reading stays put while the older lines are measured.
    requestAnimationFrame(() => setPrepending(false));
  };

  if (thread.error && !thread.data) return <ProblemNotice error={thread.error} onRetry={() => void thread.refetch()} />;
  return (
    <div className={classes.frame}>
      <div
        ref={scroller}
        className={classes.scroller}
        role="log"
        aria-live="off"
        aria-label={t('thread.label')}
        tabIndex={0}
        onScroll={onScroll}
      >
        {thread.isPending && <Waiting rows={5} height={64} />}
        <div className={classes.column}>
          {thread.hasNextPage && (
            <div className={classes.older}>
              <Button size="xs" variant="default" disabled={thread.isFetchingNextPage} onClick={() => void older()}>
                {t('thread.older')}
              </Button>
            </div>
          )}
          {thread.error && <ProblemNotice error={thread.error} onRetry={() => void thread.refetch()} />}
          <Virtualizer ref={virtual} scrollRef={scroller} shift={prepending} startMargin={thread.hasNextPage ? 44 : 0}>
            {[
              ...lines.map((line) => <Message key={line.id} line={line} onWhy={onWhy} />),
              ...pending.map((entry) => <OutgoingMessage key={entry.key} entry={entry} onRetry={() => outbox.retry(id)} />),
            ]}
          </Virtualizer>
        </div>
      </div>
      {behind > 0 && (
        <button type="button" className={classes.newer} onClick={toEnd}>
          {t('thread.newer', { count: behind })}
        </button>
      )}
    </div>
  );
};
