import type { InboxRow } from '@centralita/contracts';
import { Button } from '@mantine/core';
import { useQueryClient, type InfiniteData } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { IconArrowLeft, IconLayoutSidebarRight } from '@tabler/icons-react';
import { lazy, Suspense, useEffect, useState, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { command } from '../api/client.js';
import { forgetUnread } from '../api/live-refresh.js';
import type { Page } from '../api/pages.js';
import { useConversation, useThread, type InboxView } from '../api/queries.js';
import { useActor } from '../shell/session.js';
import { ProblemNotice } from '../shared/problem-notice.js';
import { useShortcut } from '../shared/shortcut.js';
import { Waiting } from '../shared/waiting.js';
import { WindowChip } from '../shared/window-line.js';
import { Composer } from './composer.js';
import { useContactName } from './names.js';
import { Thread } from './thread.js';
import { useWrapUps, WrapUp } from './wrap-up.js';
import classes from './conversation.module.css';

// Dialogs come when they are opened: the first page does not need the code of either.
const Resolve = lazy(async () => ({ default: (await import('./resolve.js')).Resolve }));
const Transfer = lazy(async () => ({ default: (await import('./transfer.js')).Transfer }));

type Lists = InfiniteData<Page<InboxRow>>;

/** Tells the server that the messages were seen, each time that something new is shown to whom they are assigned. */
const useMarkRead = (id: string, mine: boolean): void => {
  const client = useQueryClient();
  const newest = useThread(id, 'opens').data?.pages[0]?.items.find(({ kind }) => kind === 'inbound')?.id;
  useEffect(() => {
    if (!mine || newest === undefined) return;
    command('POST', `/v1/conversations/${id}/read`, {}).then(
      () => forgetUnread(client, id),
      // Whatever stands in the way of this stands in the way of reading too, and is said there.
      () => undefined,
    );
  }, [client, id, mine, newest]);
};

/** The open conversation: who, how long there is left, the thread, and where to answer. */
export const Conversation = ({
  id,
  view,
  sideOpen,
  onToggleSide,
}: {
  readonly id: string;
  readonly view: InboxView;
  readonly sideOpen: boolean;
  readonly onToggleSide: () => void;
}): ReactNode => {
  const { t } = useTranslation();
  const { actorId, roles } = useActor();
  const navigate = useNavigate();
  const client = useQueryClient();
  const conversation = useConversation(id, 'opens');
  const name = useContactName();
  const [dialog, setDialog] = useState<'transfer' | 'resolve' | null>(null);
  const detail = conversation.data;
  const wrapUntil = useWrapUps().get(id);
  const mine = detail?.assignedAgentId === actorId;
  useMarkRead(id, mine);
  const mayAct = detail !== undefined && detail.state !== 'closed' && (mine || roles.includes('supervisor'));
  useShortcut('KeyE', () => mayAct && setDialog('resolve'));

  /** The next row of the list, or the list itself when there is none. */
  const goOn = (): void => {
    const rows = client
      .getQueriesData<Lists>({ queryKey: ['inbox', view] })
      .flatMap(([, lists]) => lists?.pages.flatMap(({ items }) => items) ?? []);
    const at = rows.findIndex(({ conversationId }) => conversationId === id);
    const next = rows[at + 1] ?? rows[at - 1];
    setDialog(null);
    void client.invalidateQueries({ queryKey: ['inbox'] });
    void client.invalidateQueries({ queryKey: ['me'] });
    void client.invalidateQueries({ queryKey: ['conversation', id] });
    if (next)
      void navigate({
        to: '/inbox/$view/$conversation',
        params: { view, conversation: next.conversationId },
        search: (before) => before,
      });
    else void navigate({ to: '/inbox/$view', params: { view }, search: (before) => before });
  };

  return (
    <section className={classes.conversation} aria-label={detail ? name(detail) : t('thread.label')}>
      <header className={classes.head}>
        <Link
          to="/inbox/$view"
          params={{ view }}
          search={(before) => before}
          className={classes.back}
          aria-label={t('inbox.back')}
        >
          <IconArrowLeft size={18} stroke={1.5} aria-hidden="true" />
        </Link>
        {detail && (
          <>
            <h2 className={classes.name} dir="auto">
              {name(detail)}
            </h2>
            <WindowChip expiresAt={detail.windowExpiresAt} />
          </>
        )}
        <span className={classes.actions}>
          {mayAct && (
            <>
              <Button size="xs" variant="default" onClick={() => setDialog('transfer')}>
                {t('actions.transfer')}
              </Button>
              <Button size="xs" variant="default" onClick={() => setDialog('resolve')}>
                {t('actions.resolve')}
              </Button>
            </>
          )}
          <button
            type="button"
            className={classes.side}
            aria-pressed={sideOpen}
            aria-label={t('side.open')}
            title={`${t('side.open')} (Alt O)`}
            onClick={onToggleSide}
          >
            <IconLayoutSidebarRight size={18} stroke={1.5} aria-hidden="true" />
          </button>
        </span>
      </header>
      {conversation.isPending && <Waiting rows={3} height={64} />}
      {conversation.error && <ProblemNotice error={conversation.error} onRetry={() => void conversation.refetch()} />}
      {detail && (
        <>
          {wrapUntil !== undefined && (
            <div className={classes.wrapping}>
              <WrapUp conversation={id} until={wrapUntil} />
            </div>
          )}
          <Thread id={id} onWhy={() => (sideOpen ? undefined : onToggleSide())} />
          <Composer detail={detail} />
        </>
      )}
      <Suspense>
        {detail && dialog === 'transfer' && <Transfer id={id} onClose={() => setDialog(null)} onDone={goOn} />}
        {detail && dialog === 'resolve' && <Resolve detail={detail} onClose={() => setDialog(null)} onDone={goOn} />}
      </Suspense>
    </section>
  );
};
