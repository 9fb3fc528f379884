import { Button } from '@mantine/core';
import { useRouterState } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { LanguageChoice } from './choices.js';
import { Mark } from './mark.js';
import classes from './sign-in.module.css';

/** `ended`: somebody was signed in on this page until now. */
export const SignIn = ({ ended }: { readonly ended: boolean }): ReactNode => {
  const { t, i18n } = useTranslation();
  const here = useRouterState({ select: (state) => state.location.href });
  // The gateway sends a person here whom it could not sign in.
  const refused = new URL(here, window.location.origin).searchParams.get('signIn');
  const returnTo = refused === null ? here : '/';
  const why = refused !== null && i18n.exists(`signIn.refused.${refused}`) ? refused : 'other';
  return (
    <main className={classes.page}>
      <div className={classes.sheet}>
        <p className={classes.brand}>
          <Mark size={28} /> {t('app.name')}
        </p>
        <h1 className={classes.title}>{t('signIn.title')}</h1>
        {(ended || refused !== null) && (
          <p className={classes.ended} role="alert">
            {refused === null ? t('signIn.ended') : t(`signIn.refused.${why}`)}
          </p>
        )}
        <p className={classes.text}>{t('signIn.text')}</p>
        <Button component="a" href={`/auth/login?returnTo=${encodeURIComponent(returnTo)}`}>
          {t('signIn.button')}
        </Button>
        <p className={classes.promise}>{t('signIn.promise')}</p>
      </div>
      <div className={classes.foot}>
        <LanguageChoice />
      </div>
    </main>
  );
};
