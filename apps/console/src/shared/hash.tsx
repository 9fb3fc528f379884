import { IconCopy } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { announce } from './announcer.js';
import classes from './hash.module.css';

/** A hash or an id, 8 and 8; copying gives all of it. */
export const Hash = ({ value, whole = false }: { readonly value: string; readonly whole?: boolean }): ReactNode => {
  const { t } = useTranslation();
  const short = whole || value.length <= 20 ? value : `${value.slice(0, 8)}…${value.slice(-8)}`;
  return (
    <span className={classes.hash}>
      <code>{short}</code>
      <button
        type="button"
        className={classes.copy}
        aria-label={t('copy.button', { value: short })}
        onClick={() => void navigator.clipboard.writeText(value).then(() => announce(t('copy.done')))}
      >
        <IconCopy size={14} stroke={1.5} aria-hidden="true" />
      </button>
    </span>
  );
};
