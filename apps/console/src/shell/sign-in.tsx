import { Button } from '@mantine/core';
import { useRouterState } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { LanguageChoice } from './choices.js';
import { Mark } from './mark.js';
import classes from './sign-in.module.css';

/** `ended`: somebody was signed in on this page until now. */
export const SignIn = ({ ended }: { readonly ended: boolean }): ReactNode => {
  const { t } = useTranslation();
  const returnTo = useRouterState({ select: (state) => state.location.href });
  return (
    <main className={classes.page}>
      <div className={classes.sheet}>
        <p className={classes.brand}>
          <Mark size={28} /> {t('app.name')}
        </p>
        <h1 className={classes.title}>{t('signIn.title')}</h1>
        {ended && (
          <p className={classes.ended} role="alert">
            {t('signIn.ended')}
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
