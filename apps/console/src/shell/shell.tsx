import { Outlet } from '@tanstack/react-router';
import { useEffect, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { ApiProblem } from '../api/client.js';
import { live } from '../api/live.js';
import { queryClient, useSession } from '../api/queries.js';
import { ProblemNotice } from '../shared/problem-notice.js';
import { OfflineStrip } from './connection.js';
import { Announcer } from '../shared/announcer.js';
import { Rail } from './rail.js';
import { SessionContext } from './session.js';
import { SignIn } from './sign-in.js';
import classes from './shell.module.css';

/** Frame of every page: skip link, rail, content. Whoever is not signed in sees how to sign in, and comes back to the same address. */
export const Shell = (): ReactNode => {
  const { t } = useTranslation();
  const session = useSession();
  const refused = session.error instanceof ApiProblem && session.error.problem.status === 401;
  const signedIn = session.data !== undefined && !refused;
  useEffect(() => {
    if (!signedIn) return undefined;
    live.start();
    return () => {
      live.stop();
      // What was shown to whoever was signed in is not kept for the next.
      queryClient.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== 'session' });
    };
  }, [signedIn]);

  if (refused) return <SignIn ended={session.data !== undefined} />;
  // Who cannot be asked for the moment is still signed in.
  if (session.error && !session.data)
    return (
      <main className={classes.alone}>
        <h1 className="ct-only-read">{t('app.name')}</h1>
        <ProblemNotice error={session.error} onRetry={() => void session.refetch()} />
      </main>
    );
  if (!session.data) return null;
  return (
    <SessionContext value={session.data}>
      <a href="#content" className={classes.skip}>
        {t('app.skip')}
      </a>
      <div className={classes.shell}>
        <Rail />
        <main id="content" tabIndex={-1} className={classes.content}>
          <OfflineStrip />
          <Outlet />
        </main>
      </div>
      <Announcer />
    </SessionContext>
  );
};
