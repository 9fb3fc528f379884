import type { ThreadItem } from '@centralita/contracts';
import { IconAlertTriangle, IconCheck, IconChecks, IconClock, IconHelpCircle } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import classes from './message.module.css';

type Status = NonNullable<ThreadItem['status']>;
const icons = {
  requested: IconClock,
  attempted: IconClock,
  accepted: IconCheck,
  sent: IconCheck,
  delivered: IconChecks,
  read: IconChecks,
  failed: IconAlertTriangle,
  refused: IconAlertTriangle,
  unknown: IconHelpCircle,
} as const satisfies Record<Status, unknown>;

/** Why a message did not arrive, in the reader's language, with the provider's code. */
export const useReason = (): ((code: string | null) => string) => {
  const { t, i18n } = useTranslation();
  return (code) => {
    if (code === null) return t('reason.none');
    const known = i18n.exists(`reason.${code}`) ? t(`reason.${code}`) : t('reason.other');
    return /^\d+$/.test(code) || !i18n.exists(`reason.${code}`) ? `${known} (${code})` : known;
  };
};

/** Rung of the ladder from accepted to read, or how it failed: a shape and the word. */
export const StatusMark = ({ status, code }: { readonly status: Status; readonly code: string | null }): ReactNode => {
  const { t } = useTranslation();
  const reason = useReason();
  const Icon = icons[status];
  return (
    <span className={classes.status} data-status={status}>
      <Icon size={14} stroke={1.75} aria-hidden="true" />
      <span>{t(`status.${status}`, { reason: reason(code) })}</span>
    </span>
  );
};
