import type { ConversationDetail, InboxRow } from '@centralita/contracts';
import { useIsFetching, useQueryClient, type InfiniteData } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import type { Page } from '../api/pages.js';

type Named = Pick<InboxRow, 'displayName' | 'phoneMasked' | 'erased' | 'subjectId'> | ConversationDetail;

/** What to call a customer: the profile name, else the masked phone, else the start of the subject's id. */
export const useContactName = (): ((row: Named) => string) => {
  const { t } = useTranslation();
  return (row) =>
    row.erased
      ? t('inbox.erased')
      : (row.displayName ?? row.phoneMasked ?? t('inbox.contact', { id: row.subjectId.slice(0, 4) }));
};

/** The same for a conversation that is open or stands in a list that was loaded; nothing is asked for it. */
export const useKnownName = (): ((conversation: string) => string | undefined) => {
  const client = useQueryClient();
  const name = useContactName();
  // Names come with lists and conversations that others have asked for: whoever shows one looks again when an answer has come.
  useIsFetching();
  return (conversation) => {
    const rows = client
      .getQueriesData<InfiniteData<Page<InboxRow>>>({ queryKey: ['inbox'] })
      .flatMap(([, lists]) => lists?.pages.flatMap(({ items }) => items) ?? []);
    const known =
      client.getQueryData<ConversationDetail>(['conversation', conversation]) ??
      rows.find(({ conversationId }) => conversationId === conversation);
    return known && name(known);
  };
};

/** A label such as `[image]` in the reader's language; anything else is what the customer wrote. */
export const usePreview = (): ((text: string) => string) => {
  const { t, i18n } = useTranslation();
  return (text) => {
    const type = /^\[(\w+)\]$/.exec(text)?.[1];
    if (type === undefined) return text;
    return i18n.exists(`preview.${type}`) ? t(`preview.${type}`) : t('thread.unknownType', { type });
  };
};
