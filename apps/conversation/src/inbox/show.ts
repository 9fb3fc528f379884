import type { DisclosedField, InboxRow, Template } from '@centralita/contracts';
import { describeItem, maskPhone, preview, profileOf } from '@centralita/domain-conversation';
import type { SubjectKeys } from '@centralita/keyring';
import { openItem, openReply } from '../record/envelopes.js';
import { replyText } from '../thread/show.js';
import type { ListedConversation } from './query.js';

/** What rows or a detail show, for the access record: only fields that hold something. */
export const fieldsShown = (
  rows: readonly Pick<InboxRow, 'displayName' | 'phoneMasked'>[],
  previews: readonly string[] = [],
): DisclosedField[] => {
  const shown: [DisclosedField, boolean][] = [
    ['display_name', rows.some(({ displayName }) => displayName !== null)],
    ['phone_masked', rows.some(({ phoneMasked }) => phoneMasked !== null)],
    ['message_preview', previews.some((preview) => preview !== '')],
    ['subject_id', rows.length > 0],
  ];
  return shown.flatMap(([field, is]) => (is ? [field] : []));
};

type Shown = {
  readonly keys: SubjectKeys;
  readonly templates: readonly Template[];
  readonly businessNumber: string;
};

const previewOf = (row: ListedConversation, { keys, templates }: Shown): string | null => {
  if (row.last_sealed === null) return '';
  if (row.last_kind === 'out') {
    const words = openReply(keys, row.last_sealed);
    return words && preview({ ...describeItem(null), text: replyText(words, templates) });
  }
  const plaintext = openItem(keys, row.last_sealed);
  return plaintext && preview(describeItem(plaintext.item));
};

/** What detail and row have in common, opened at the moment of reading. */
export const showSummary = (
  row: ListedConversation,
  { keys, businessNumber }: Shown,
): Omit<InboxRow, 'preview' | 'previewKind' | 'unread'> => {
  const plaintext = row.profile_sealed && openItem(keys, row.profile_sealed);
  const profile = plaintext && profileOf(plaintext);
  return {
    conversationId: row.conversation_id,
    subjectId: row.subject_id,
    displayName: profile?.name ?? null,
    phoneMasked: profile?.phone ? maskPhone(profile.phone) : null,
    erased: row.profile_sealed !== null && plaintext === null,
    businessNumber,
    state: row.status === 'closed' ? 'closed' : row.agent_id === null ? 'waiting' : 'assigned',
    assignedAgentId: row.agent_id,
    queueId: row.queue_id,
    language: row.language,
    lastMessageAt: row.last_at,
    waitingSince: row.waiting_since,
    windowExpiresAt: row.expires_at,
    version: String(row.stream_version),
  };
};

export const showRow = (row: ListedConversation, shown: Shown): InboxRow => ({
  ...showSummary(row, shown),
  preview: previewOf(row, shown) ?? '',
  previewKind: row.last_kind,
  unread: row.unread,
});
