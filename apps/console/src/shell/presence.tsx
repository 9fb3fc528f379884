import type { Me } from '@centralita/contracts';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useRef, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { command } from '../api/client.js';
import { useMe } from '../api/queries.js';
import { ProblemNotice } from '../shared/problem-notice.js';
import classes from './presence.module.css';

const presences = ['online', 'away', 'offline'] as const;

const Shape = ({ presence }: { readonly presence: Me['presence'] | undefined }): ReactNode => (
  <svg viewBox="0 0 12 12" width="12" height="12" aria-hidden="true" data-presence={presence} className={classes.shape}>
    {presence === 'online' && <circle cx="6" cy="6" r="5" fill="currentColor" />}
    {presence === 'away' && <path d="M6 1 A5 5 0 0 0 6 11 Z" fill="currentColor" />}
    {presence !== 'online' && <circle cx="6" cy="6" r="4.25" fill="none" stroke="currentColor" strokeWidth="1.5" />}
  </svg>
);

/** Whether this agent takes conversations, and how many places are taken. */
export const Presence = (): ReactNode => {
  const { t } = useTranslation();
  const client = useQueryClient();
  const me = useMe(true);
  const panel = useRef<HTMLDivElement>(null);
  const change = useMutation({
    mutationFn: (presence: Me['presence']) => command('PUT', '/v1/me/presence', { presence }),
    onSuccess: (_answer, presence) => {
      client.setQueryData<Me>(['me'], (known) => known && { ...known, presence });
      panel.current?.hidePopover();
    },
  });
  const presence = me.data?.presence;
  const word = presence ? t(`presence.${presence}`) : t('presence.unknown');
  const load = me.data ? t('presence.load', { load: me.data.load, capacity: me.data.capacity }) : '';
  return (
    <>
      <button type="button" className={classes.button} popoverTarget="presence" title={word}>
        <span className="ct-only-read">
          {t('presence.label')}: {word}. {load}
        </span>
        <Shape presence={presence} />
        {me.data && (
          <span className={classes.load} aria-hidden="true">
            {me.data.load}/{me.data.capacity}
          </span>
        )}
      </button>
      <div id="presence" popover="auto" ref={panel} className={classes.panel} role="group" aria-label={t('presence.label')}>
        {presences.map((each) => (
          <button
            key={each}
            type="button"
            className={classes.option}
            aria-pressed={each === presence}
            disabled={change.isPending}
            onClick={() => change.mutate(each)}
          >
            <Shape presence={each} />
            {t(`presence.${each}`)}
          </button>
        ))}
        {load && <p className={classes.places}>{load}</p>}
        {change.error && <ProblemNotice error={change.error} />}
      </div>
    </>
  );
};
