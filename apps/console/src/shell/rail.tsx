import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { Connection } from './connection.js';
import { Mark } from './mark.js';
import { pagesOf } from './pages.js';
import { Presence } from './presence.js';
import { useActor } from './session.js';
import classes from './rail.module.css';

export const Rail = (): ReactNode => {
  const { t } = useTranslation();
  const { roles } = useActor();
  return (
    <nav className={classes.rail} aria-label={t('rail.navigation')}>
      <div className={classes.mark}>
        <Mark size={24} />
      </div>
      <div className={classes.pages}>
        {pagesOf(roles).map(({ name, to, icon: Icon }) => (
          <Link
            key={name}
            to={to}
            className={classes.page}
            activeProps={{ 'aria-current': 'page' }}
            aria-label={t(`rail.${name}`)}
          >
            <Icon size={20} stroke={1.5} aria-hidden="true" />
            <span className={classes.name} aria-hidden="true">
              {t(`rail.${name}`)}
            </span>
          </Link>
        ))}
      </div>
      <div className={classes.foot}>
        {roles.includes('agent') && <Presence />}
        <Connection />
      </div>
    </nav>
  );
};
