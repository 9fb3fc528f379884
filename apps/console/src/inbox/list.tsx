import type { InboxRow } from '@centralita/contracts';
import { Button } from '@mantine/core';
import { useNavigate } from '@tanstack/react-router';
import { useRef, useState, type KeyboardEvent, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { Virtualizer, type VirtualizerHandle } from 'virtua';
import { useInbox, useMe, type InboxSort, type InboxView } from '../api/queries.js';
import { useActor } from '../shell/session.js';
import { preferences } from '../shared/preferences.js';
import { ProblemNotice } from '../shared/problem-notice.js';
import { useShortcut } from '../shared/shortcut.js';
import { Waiting } from '../shared/waiting.js';
import { Row } from './row.js';
import { useWrapUps } from './wrap-up.js';
import classes from './list.module.css';

const heights = { comfortable: 72, compact: 56 } as const;

/** The conversations of a view: a grid with one tab stop, arrows inside, Alt+J and Alt+K from anywhere. */
export const List = ({
  view,
  sort,
  selected,
}: {
  readonly view: InboxView;
  readonly sort: InboxSort;
  readonly selected: string | null;
}): ReactNode => {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const inbox = useInbox(view, sort);
  const me = useMe(useActor().roles.includes('agent'));
  const away = me.data !== undefined && me.data.presence !== 'online';
  const wraps = useWrapUps();
  const [density] = useState(preferences.get('density') ?? 'comfortable');
  const scroller = useRef<HTMLDivElement>(null);
  const virtual = useRef<VirtualizerHandle>(null);
  const [focused, setFocused] = useState<string | null>(null);

  const rows = inbox.data?.pages.flatMap(({ items }) => items) ?? [];
  const at = (id: string | null): number => rows.findIndex(({ conversationId }) => conversationId === id);
  const active = Math.max(0, at(focused) >= 0 ? at(focused) : at(selected));

  const open = (row: InboxRow): void => {
    setFocused(row.conversationId);
    void navigate({
      to: '/inbox/$view/$conversation',
      params: { view, conversation: row.conversationId },
      search: (before) => before,
    });
  };
  const focusRow = (position: number): void => {
    const row = rows[Math.min(Math.max(position, 0), rows.length - 1)];
    if (!row) return;
    setFocused(row.conversationId);
    virtual.current?.scrollToIndex(rows.indexOf(row), { align: 'nearest' });
    // The row may be mounted only after the scroll.
    requestAnimationFrame(() =>
      scroller.current?.querySelector<HTMLElement>(`[data-position="${rows.indexOf(row)}"]`)?.focus({ preventScroll: true }),
    );
  };
  const openNear = (step: 1 | -1): void => {
    const current = at(selected);
    const row = rows[current < 0 ? 0 : Math.min(Math.max(current + step, 0), rows.length - 1)];
    if (!row) return;
    open(row);
    virtual.current?.scrollToIndex(rows.indexOf(row), { align: 'nearest' });
  };
  useShortcut('KeyJ', () => openNear(1));
  useShortcut('KeyK', () => openNear(-1));

  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const moves: Record<string, number> = {
      ArrowDown: active + 1,
      ArrowUp: active - 1,
      Home: 0,
      End: rows.length - 1,
      PageDown: active + 8,
      PageUp: active - 8,
    };
    const target = moves[event.key];
    const row = rows[active];
    if (target !== undefined) focusRow(target);
    else if ((event.key === 'Enter' || event.key === ' ') && row) open(row);
    else return;
    event.preventDefault();
  };

  if (inbox.error && rows.length === 0) return <ProblemNotice error={inbox.error} onRetry={() => void inbox.refetch()} />;
  if (inbox.isPending) return <Waiting rows={8} height={heights[density]} />;
  if (rows.length === 0)
    return <p className={classes.empty}>{t(view !== 'mine' ? 'inbox.none' : away ? 'inbox.noneAway' : 'inbox.noneMine')}</p>;
  return (
    <div ref={scroller} className={classes.scroller} data-density={density}>
      <div role="grid" aria-label={t(`inbox.${view}`)} aria-rowcount={inbox.hasNextPage ? -1 : rows.length} onKeyDown={onKeyDown}>
        <Virtualizer ref={virtual} scrollRef={scroller} itemSize={heights[density]} keepMounted={[active]}>
          {rows.map((row, position) => (
            <Row
              key={row.conversationId}
              row={row}
              position={position}
              selected={row.conversationId === selected}
              active={position === active}
              wrapUntil={wraps.get(row.conversationId)}
              onOpen={() => open(row)}
              onFocus={() => setFocused(row.conversationId)}
            />
          ))}
        </Virtualizer>
      </div>
      {inbox.error && <ProblemNotice error={inbox.error} onRetry={() => void inbox.refetch()} />}
      {inbox.hasNextPage && (
        <div className={classes.more}>
          <Button size="xs" variant="default" disabled={inbox.isFetching} onClick={() => void inbox.fetchNextPage()}>
            {t('inbox.more')}
          </Button>
        </div>
      )}
    </div>
  );
};
