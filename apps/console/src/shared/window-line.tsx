import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { useNow } from './clock.js';
import { timeOrDay, windowState } from './time.js';
import classes from './window-line.module.css';

/** The signature: a gauge of 24 hours that drains. On the left of a row and on top of the composer. */
export const WindowLine = ({
  expiresAt,
  direction,
}: {
  readonly expiresAt: string | null;
  readonly direction: 'vertical' | 'horizontal';
}): ReactNode => {
  const { kind, share } = windowState(expiresAt, useNow());
  return (
    <span className={classes.track} data-direction={direction} data-kind={kind} aria-hidden="true">
      <span
        className={classes.fill}
        style={direction === 'vertical' ? { height: `${share * 100}%` } : { width: `${share * 100}%` }}
      />
    </span>
  );
};

/** The same in words: hours, then h:mm, then minutes and seconds; closed; or nobody wrote yet. */
export const WindowChip = ({ expiresAt }: { readonly expiresAt: string | null }): ReactNode => {
  const { t } = useTranslation();
  const now = useNow();
  const { kind, label, share } = windowState(expiresAt, now);
  const text = kind === 'closed' ? t('window.closed') : kind === 'none' ? t('window.none') : (label ?? '');
  const full = kind === 'closed' || kind === 'none' ? text : t('window.left', { time: label ?? '' });
  return (
    <span
      className={classes.chip}
      data-kind={kind}
      role="timer"
      aria-live="off"
      aria-label={full}
      title={expiresAt && kind !== 'closed' ? t('window.closesAt', { time: timeOrDay(expiresAt, now) }) : undefined}
    >
      <svg viewBox="0 0 12 12" width="12" height="12" aria-hidden="true" className={classes.pie}>
        <circle cx="6" cy="6" r="5" className={classes.pieEdge} />
        {kind === 'closed' && <path d="M2 10 L10 2" className={classes.pieEdge} />}
        {share > 0 && (
          <circle
            cx="6"
            cy="6"
            r="2.5"
            className={classes.pieFill}
            strokeDasharray={`${share * 15.71} 15.71`}
            transform="rotate(-90 6 6)"
          />
        )}
      </svg>
      {text}
    </span>
  );
};
