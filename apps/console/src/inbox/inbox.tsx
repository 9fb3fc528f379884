import { getRouteApi, Link, useNavigate, useParams } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { useLiveRefresh } from '../api/live-refresh.js';
import type { InboxSort, InboxView } from '../api/queries.js';
import { useActor } from '../shell/session.js';
import { useShortcut } from '../shared/shortcut.js';
import { useMedia } from '../shared/use-media.js';
import { Conversation } from './conversation.js';
import { List } from './list.js';
import { OfferDock } from './offer-dock.js';
import { SidePanel } from './side-panel.js';
import classes from './inbox.module.css';

const route = getRouteApi('/inbox/$view');
const agentViews = ['mine', 'unassigned', 'closed'] as const satisfies readonly InboxView[];
const supervisorViews = ['all', 'unassigned', 'closed'] as const satisfies readonly InboxView[];
const sorts = [
  ['recent', 'byRecent'],
  ['window', 'byWindow'],
  ['wait', 'byWait'],
] as const satisfies readonly (readonly [InboxSort, string])[];

/** The inbox: list and offers, the open conversation, and what is known about it. The address says all of it. */
export const Inbox = (): ReactNode => {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const { tenantId, roles } = useActor();
  const { view } = route.useParams();
  const { sort = 'recent', side } = route.useSearch();
  const { conversation = null } = useParams({ strict: false });
  const wide = useMedia('(min-width: 1360px)');
  const sideOpen = conversation !== null && (side === undefined ? wide : side === 'open');
  useLiveRefresh(tenantId, view, conversation, roles.includes('agent'));

  const toggleSide = (): void => {
    if (conversation === null) return;
    void navigate({
      to: '/inbox/$view/$conversation',
      params: { view, conversation },
      search: (before) => ({ ...before, side: sideOpen ? 'closed' : 'open' }),
      replace: true,
    });
  };
  useShortcut('KeyO', toggleSide);

  const views: readonly InboxView[] = roles.includes('supervisor') && !roles.includes('agent') ? supervisorViews : agentViews;
  return (
    <div className={classes.inbox} data-open={conversation !== null} data-side={sideOpen}>
      {/* Outside of the list, which a narrow page hides. */}
      <h1 className="ct-only-read">{t('rail.inbox')}</h1>
      <section className={`${classes.pane} ${classes.list}`} aria-label={t('rail.inbox')}>
        <div className={classes.head}>
          <nav className={classes.views} aria-label={t('inbox.views')}>
            {views.map((each) => (
              <Link
                key={each}
                to="/inbox/$view"
                params={{ view: each }}
                search={(before) => before}
                className={classes.view}
                aria-current={each === view ? 'page' : undefined}
              >
                {t(`inbox.${each}`)}
              </Link>
            ))}
          </nav>
        </div>
        <div className={classes.sort}>
          <label>
            {t('inbox.sort')}
            <select
              value={sort}
              onChange={(event) =>
                void navigate({
                  to: '.',
                  search: (before) => ({ ...before, sort: event.target.value as InboxSort }),
                  replace: true,
                })
              }
            >
              {sorts.map(([value, name]) => (
                <option key={value} value={value}>
                  {t(`inbox.${name}`)}
                </option>
              ))}
            </select>
          </label>
        </div>
        <List key={`${view} ${sort}`} view={view} sort={sort} selected={conversation} />
      </section>
      {roles.includes('agent') && <OfferDock />}
      {conversation === null ? (
        <div className={`${classes.choose} ${classes.main}`}>
          <p>{t('inbox.choose')}</p>
        </div>
      ) : (
        <Conversation key={conversation} id={conversation} view={view} sideOpen={sideOpen} onToggleSide={toggleSide} />
      )}
      {sideOpen && <SidePanel key={`side ${conversation}`} id={conversation} onClose={toggleSide} />}
    </div>
  );
};
