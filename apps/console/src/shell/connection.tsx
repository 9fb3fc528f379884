import { IconPlug, IconPlugConnected, IconPlugConnectedX } from '@tabler/icons-react';
import { useState, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { live, useLiveState } from '../api/live.js';
import { clockTime } from '../shared/time.js';
import classes from './connection.module.css';

const icons = { live: IconPlugConnected, reconnecting: IconPlug, offline: IconPlugConnectedX } as const;

/** Foot of the rail: does what is shown follow the world. A shape for each state, and the word for it. */
export const Connection = (): ReactNode => {
  const { t } = useTranslation();
  const state = useLiveState();
  const Icon = icons[state];
  return (
    <p
      className={classes.state}
      data-state={state}
      title={state === 'offline' ? t('connection.stopped') : t(`connection.${state}`)}
    >
      <Icon size={16} stroke={1.5} aria-hidden="true" />
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
