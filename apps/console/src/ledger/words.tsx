import type { Leaf } from '@centralita/contracts';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { Mark } from '../shared/mark.js';

/** The reason that was given, against what the log of events says about it. */
export const Verified = ({ verified }: { readonly verified: Leaf['verified'] }): ReactNode => {
  const { t } = useTranslation();
  const state = { confirmed: 'good', unverifiable: 'unknown', contradicted: 'bad' } as const;
  return <Mark state={state[verified]}>{t(`ledger.${verified}`)}</Mark>;
};

/** What a record says, in words. */
export const useWords = (): { readonly shown: (leaf: Leaf) => string; readonly action: (leaf: Leaf) => string } => {
  const { t, i18n } = useTranslation();
  return {
    shown: (leaf) => {
      if (leaf.outcome === 'denied') return t('ledger.denied');
      const fields = leaf.fields.map((field) => t(`field.${field}`));
      return fields.length === 0 ? t('ledger.nothing') : new Intl.ListFormat(i18n.language).format(fields);
    },
    action: (leaf) => leaf.action,
  };
};
