import { Button } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { DensityChoice, LanguageChoice, OfferNoticeChoice, OfferSoundChoice, SchemeChoice, SendChoice } from './choices.js';
import { ProblemNotice } from '../shared/problem-notice.js';
import { useActor } from './session.js';
import { signOut } from './sign-out.js';
import classes from './settings.module.css';

const keys = [
  ['Alt J', 'next'],
  ['Alt K', 'previous'],
  ['Alt L', 'reply'],
  ['Alt P', 'note'],
  ['Alt E', 'resolve'],
  ['Alt Y', 'accept'],
  ['Alt O', 'side'],
] as const;

export const Settings = (): ReactNode => {
  const { t } = useTranslation();
  const actor = useActor();
  const leave = useMutation({ mutationFn: signOut });
  return (
    <div className={classes.page}>
      <h1 className={classes.title}>{t('settings.title')}</h1>
      <section className={classes.section}>
        <div>
          <p className={classes.who}>{actor.label}</p>
          <p className={classes.dim}>
            {actor.tenantName} · {actor.roles.map((role) => t(`role.${role}`)).join(', ')}
          </p>
        </div>
        <Button variant="default" disabled={leave.isPending} onClick={() => leave.mutate()}>
          {t('rail.signOut')}
        </Button>
      </section>
      {leave.error && <ProblemNotice error={leave.error} onRetry={() => leave.mutate()} />}
      <section className={classes.choices}>
        <LanguageChoice />
        <SchemeChoice />
        {actor.roles.some((role) => role === 'agent' || role === 'supervisor') && (
          <>
            <DensityChoice />
            <SendChoice />
          </>
        )}
        {actor.roles.includes('agent') && (
          <>
            <OfferSoundChoice />
            <OfferNoticeChoice />
          </>
        )}
      </section>
      {actor.roles.includes('agent') && (
        <section>
          <h2 className={classes.heading}>{t('settings.keys')}</h2>
          <dl className={classes.keys}>
            {keys.map(([key, name]) => (
              <div key={name}>
                <dt>
                  <kbd>{key}</kbd>
                </dt>
                <dd>{t(`settings.key.${name}`)}</dd>
              </div>
            ))}
          </dl>
        </section>
      )}
    </div>
  );
};
