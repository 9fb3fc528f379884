import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { missingRoles, type PageName } from './pages.js';
import { useActor } from './session.js';
import classes from './shell.module.css';

/** Shows a page to whoever may open it; to others it names the role that is needed. */
export const NeedsRole = ({ page, children }: { readonly page: PageName; readonly children: ReactNode }): ReactNode => {
  const { t, i18n } = useTranslation();
  const missing = missingRoles(page, useActor().roles);
  if (missing.length === 0) return children;
  const names = new Intl.ListFormat(i18n.language, { type: 'disjunction' }).format(missing.map((role) => t(`role.${role}`)));
  return (
    <div className={classes.alone}>
      <h1>{t(`rail.${page}`)}</h1>
      <p>{t('problem.needsRole', { role: names })}</p>
    </div>
  );
};
