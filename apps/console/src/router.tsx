import type { ParkingProcess } from '@centralita/contracts';
import { createRootRoute, createRoute, createRouter, lazyRouteComponent, Navigate, Outlet } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import type { InboxSort, InboxView } from './api/queries.js';
import { Inbox } from './inbox/inbox.js';
import { NeedsRole } from './shell/needs-role.js';
import { firstPage, type PageName } from './shell/pages.js';
import { Settings } from './shell/settings.js';
import { useActor } from './shell/session.js';
import { Shell } from './shell/shell.js';
import shell from './shell/shell.module.css';

const Nowhere = (): ReactNode => {
  const { t } = useTranslation();
  return (
    <div className={shell.alone}>
      <h1>{t('problem.NOT_FOUND')}</h1>
    </div>
  );
};

const text = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);
const oneOf = <Value extends string>(values: readonly Value[], value: unknown): Value | undefined =>
  values.find((each) => each === value);

const root = createRootRoute({ component: Shell, notFoundComponent: Nowhere });
const FirstPage = (): ReactNode => <Navigate to={firstPage(useActor().roles)} replace />;
const index = createRoute({ getParentRoute: () => root, path: '/', component: FirstPage });

/** A page that needs a role; its pages below stand inside the same test. */
const guarded = (page: PageName) => (): ReactNode => (
  <NeedsRole page={page}>
    <Outlet />
  </NeedsRole>
);

const views = ['mine', 'unassigned', 'all', 'closed'] as const satisfies readonly InboxView[];
const sorts = ['recent', 'window', 'wait'] as const satisfies readonly InboxSort[];
const FirstView = (): ReactNode => (
  <Navigate to="/inbox/$view" params={{ view: useActor().roles.includes('agent') ? 'mine' : 'all' }} replace />
);
const inboxArea = createRoute({ getParentRoute: () => root, path: '/inbox', component: guarded('inbox') });
const inboxIndex = createRoute({ getParentRoute: () => inboxArea, path: '/', component: FirstView });
const inbox = createRoute({
  getParentRoute: () => inboxArea,
  path: '$view',
  component: Inbox,
  params: { parse: ({ view }) => ({ view: oneOf(views, view) ?? 'mine' }), stringify: ({ view }) => ({ view }) },
  validateSearch: (search): { sort?: InboxSort; side?: 'open' | 'closed' } => {
    const [sort, side] = [oneOf(sorts, search.sort), oneOf(['open', 'closed'] as const, search.side)];
    return { ...(sort && { sort }), ...(side && { side }) };
  },
});
const conversation = createRoute({ getParentRoute: () => inbox, path: '$conversation' });

export type LedgerSearch = { readonly from?: string; readonly to?: string; readonly record?: string };
const ledgerSearch = (search: Record<string, unknown>): LedgerSearch => {
  const [from, to, record] = [text(search.from), text(search.to), text(search.record)];
  return { ...(from && { from }), ...(to && { to }), ...(record && { record }) };
};
const Ledger = lazyRouteComponent(() => import('./ledger/ledger.js'), 'Ledger');
const ledgerArea = createRoute({ getParentRoute: () => root, path: '/ledger', component: guarded('ledger') });
const ledger = createRoute({ getParentRoute: () => ledgerArea, path: '/', component: Ledger, validateSearch: ledgerSearch });
const findings = createRoute({
  getParentRoute: () => ledgerArea,
  path: 'findings',
  component: lazyRouteComponent(() => import('./ledger/findings.js'), 'Findings'),
  validateSearch: ledgerSearch,
});
const person = createRoute({
  getParentRoute: () => ledgerArea,
  path: 'people/$subject',
  component: Ledger,
  validateSearch: ledgerSearch,
});
const agent = createRoute({
  getParentRoute: () => ledgerArea,
  path: 'agents/$agent',
  component: Ledger,
  validateSearch: ledgerSearch,
});

const billingArea = createRoute({ getParentRoute: () => root, path: '/billing', component: guarded('billing') });
const months = createRoute({
  getParentRoute: () => billingArea,
  path: '/',
  component: lazyRouteComponent(() => import('./billing/months.js'), 'Months'),
});
const Statement = lazyRouteComponent(() => import('./billing/statement.js'), 'StatementPage');
const statement = createRoute({ getParentRoute: () => billingArea, path: '$account/$month', component: Statement });
const line = createRoute({ getParentRoute: () => statement, path: 'lines/$line' });
const message = createRoute({ getParentRoute: () => line, path: 'messages/$message' });

export type PlatformSearch = { readonly parked?: ParkingProcess };
const parking = [
  'conversation',
  'routing',
  'billing',
  'audit-log',
  'ingest-media',
  'ingest-sender',
] as const satisfies readonly ParkingProcess[];
const platformArea = createRoute({ getParentRoute: () => root, path: '/platform', component: guarded('platform') });
const platform = createRoute({
  getParentRoute: () => platformArea,
  path: '/',
  component: lazyRouteComponent(() => import('./platform/platform.js'), 'Platform'),
  validateSearch: (search): PlatformSearch => {
    const parked = oneOf(parking, search.parked);
    return parked ? { parked } : {};
  },
});

const settings = createRoute({ getParentRoute: () => root, path: '/settings', component: Settings });

export const router = createRouter({
  routeTree: root.addChildren([
    index,
    inboxArea.addChildren([inboxIndex, inbox.addChildren([conversation])]),
    ledgerArea.addChildren([ledger, findings, person, agent]),
    billingArea.addChildren([months, statement.addChildren([line.addChildren([message])])]),
    platformArea.addChildren([platform]),
    settings,
  ]),
  // Addresses hold plain words: a leaf number is not JSON.
  parseSearch: (search) => Object.fromEntries(new URLSearchParams(search)),
  stringifySearch: (search: Record<string, unknown>) => {
    const given = Object.entries(search).filter((entry): entry is [string, string] => typeof entry[1] === 'string');
    return given.length === 0 ? '' : `?${new URLSearchParams(given).toString()}`;
  },
  // Nothing is fetched before it is opened: every answer with customer data is a record.
  defaultPreload: false,
  scrollRestoration: true,
});

declare module '@tanstack/react-router' {
  // The router asks for its type by declaration merging, which only an interface can do.
  // eslint-disable-next-line @typescript-eslint/consistent-type-definitions
  interface Register {
    router: typeof router;
  }
}
