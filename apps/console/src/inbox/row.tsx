import type { InboxRow } from '@centralita/contracts';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { useNow } from '../shared/clock.js';
import { useActor } from '../shell/session.js';
import { shortTime } from '../shared/time.js';
import { WindowChip, WindowLine } from '../shared/window-line.js';
import { useContactName, usePreview } from './names.js';
import { WrapUpTime } from './wrap-up.js';
import classes from './list.module.css';

/** One conversation: the window's gauge, who, when, the last words, what is unread, how long there is left. */
export const Row = ({
  row,
  position,
  selected,
  active,
  wrapUntil,
  onOpen,
  onFocus,
}: {
  readonly row: InboxRow;
  readonly position: number;
  readonly selected: boolean;
  readonly active: boolean;
  /** When the agent's wrap-up of the closed conversation ends, in milliseconds. */
  readonly wrapUntil: number | undefined;
  readonly onOpen: () => void;
  readonly onFocus: () => void;
}): ReactNode => {
  const { t } = useTranslation();
  const now = useNow();
  const name = useContactName();
  const preview = usePreview();
  const { actorId } = useActor();
  // Whoever it is assigned to is looking at it: what has just come is read.
  const unread = selected && row.assignedAgentId === actorId ? 0 : row.unread;
  return (
    <div
      role="row"
      aria-rowindex={position + 1}
      aria-selected={selected}
      tabIndex={active ? 0 : -1}
      data-position={position}
      className={classes.row}
      onClick={onOpen}
      onFocus={onFocus}
    >
      <WindowLine expiresAt={row.windowExpiresAt} direction="vertical" />
      <div role="gridcell" className={classes.cell}>
        <span className={classes.line}>
          <span className={classes.name} dir="auto" data-unread={unread > 0}>
            {name(row)}
          </span>
          <time className={classes.time} dateTime={row.lastMessageAt}>
            {shortTime(row.lastMessageAt, now)}
          </time>
        </span>
        <span className={classes.line}>
          <span className={classes.preview}>
            {row.previewKind === 'in' ? '' : `${t('inbox.out')} `}
            <span dir="auto">{preview(row.preview)}</span>
          </span>
          {unread > 0 && (
            <span className={classes.unread}>
              <span aria-hidden="true">{unread}</span>
              <span className="ct-only-read">{t('inbox.unread', { count: unread })}</span>
            </span>
          )}
        </span>
        <span className={`${classes.line} ${classes.last}`}>
          <span className={classes.where}>
            {wrapUntil !== undefined && (
              <span className={classes.wrapping}>
                <WrapUpTime until={wrapUntil} />
              </span>
            )}
            {row.businessNumber}
            {row.state === 'closed' && wrapUntil === undefined && <span className={classes.language}>{t('state.closed')}</span>}
            {row.language && <span className={classes.language}>{row.language}</span>}
          </span>
          <WindowChip expiresAt={row.windowExpiresAt} />
        </span>
      </div>
    </div>
  );
};
