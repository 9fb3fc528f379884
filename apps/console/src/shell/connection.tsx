import { useState, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { live, useLiveState } from '../api/live.js';
import { clockTime } from '../shared/time.js';
import classes from './connection.module.css';

/** Foot of the rail: does what is shown follow the world. A shape for each state, and the word for it. */
export const Connection = (): ReactNode => {
  const { t } = useTranslation();
  const state = useLiveState();
  return (
    <p className={classes.state} data-state={state} title={t(`connection.${state}`, { time: '' })}>
      <svg viewBox="0 0 12 12" width="12" height="12" aria-hidden="true">
        {state === 'live' && <circle cx="6" cy="6" r="4" fill="currentColor" />}
        {state === 'reconnecting' && <circle cx="6" cy="6" r="4" className={classes.edge} strokeDasharray="3 2" />}
        {state === 'offline' && <path d="M2 2 L10 10 M10 2 L2 10" className={classes.edge} />}
      </svg>
      <span className="ct-only-read">{state === 'offline' ? t('connection.stopped') : t(`connection.${state}`)}</span>
    </p>
  );
};

/** What is shown is old, and since when. */
export const OfflineStrip = (): ReactNode => {
  const { t } = useTranslation();
  const state = useLiveState();
  const [since] = useState(() => Date.now());
  if (state !== 'offline') return null;
  return (
    <p className={classes.strip} role="status">
      {t('connection.offline', { time: clockTime(new Date(live.lastSign || since).toISOString()) })}
    </p>
  );
};
