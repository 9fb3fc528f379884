import type { Role } from '@centralita/contracts';
import { IconHeartRateMonitor, IconInbox, IconReceipt2, IconSettings, IconRubberStamp, type Icon } from '@tabler/icons-react';

/** Pages of the rail, in its order, and who may open them; `null` is everybody. */
export const pages = [
  { name: 'inbox', to: '/inbox', icon: IconInbox, roles: ['agent', 'supervisor'] },
  { name: 'ledger', to: '/ledger', icon: IconRubberStamp, roles: ['compliance'] },
  { name: 'billing', to: '/billing', icon: IconReceipt2, roles: ['billing'] },
  { name: 'platform', to: '/platform', icon: IconHeartRateMonitor, roles: ['platform'] },
  { name: 'settings', to: '/settings', icon: IconSettings, roles: null },
] as const satisfies readonly { name: string; to: string; icon: Icon; roles: readonly Role[] | null }[];
export type PageName = (typeof pages)[number]['name'];

const open = (roles: readonly Role[] | null, own: readonly Role[]): boolean =>
  roles === null || roles.some((role) => own.includes(role));

export const pagesOf = (own: readonly Role[]): readonly (typeof pages)[number][] => pages.filter(({ roles }) => open(roles, own));
export const firstPage = (own: readonly Role[]): (typeof pages)[number]['to'] => pagesOf(own)[0]?.to ?? '/settings';
/** Roles of which one is needed and none is there. */
export const missingRoles = (page: PageName, own: readonly Role[]): readonly Role[] => {
  const roles = pages.find(({ name }) => name === page)?.roles ?? null;
  return open(roles, own) ? [] : (roles ?? []);
};
