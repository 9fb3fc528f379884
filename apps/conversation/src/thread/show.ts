import type { DisclosedField, Template, ThreadItem } from '@centralita/contracts';
import { describeItem, mergeProgress, profileOf, renderTemplate, type ReplyStatus } from '@centralita/domain-conversation';
import type { SubjectKeys } from '@centralita/keyring';
import { openItem, openNote, openReply, type ReplyPlaintext } from '../record/envelopes.js';
import type { ListedItem } from './query.js';

/** The words of a reply; of a template that is no longer offered, its name. */
export const replyText = (reply: ReplyPlaintext, templates: readonly Template[]): string | null => {
  if (reply.text !== undefined) return reply.text;
  if (!reply.template) return null;
  const { name, language, values } = reply.template;
  const template = templates.find((candidate) => candidate.name === name && candidate.language === language);
  return template ? renderTemplate(template.body, values) : `[${name}]`;
};

// What the sender says of the call and what statuses say of the message are two folds; the reader sees the further of them.
const progressOf = (row: ListedItem): Pick<ThreadItem, 'status' | 'statusCode'> => {
  const said = [
    { status: row.status, code: row.status_code },
    { status: row.reported_status, code: row.reported_code },
  ].flatMap(({ status, code }) => (status === null ? [] : [{ status: status as ReplyStatus, code }]));
  if (row.kind === 'inbound' || said.length === 0) return { status: null, statusCode: null };
  const { status, code } = said.reduce(mergeProgress);
  return { status, statusCode: code };
};

type Personal = Pick<ThreadItem, 'text' | 'sender' | 'location' | 'contactNames' | 'erased'> & {
  readonly fileName: string | null;
};
const nothing: Personal = { text: null, sender: null, location: null, contactNames: [], fileName: null, erased: false };
const erased: Personal = { ...nothing, erased: true };

const open = (row: ListedItem, keys: SubjectKeys, templates: readonly Template[]): Personal => {
  if (row.sealed === null) return nothing;
  if (row.kind === 'note') {
    const note = openNote(keys, row.sealed);
    return note ? { ...nothing, text: note.text } : erased;
  }
  if (row.kind === 'reply') {
    const reply = openReply(keys, row.sealed);
    return reply ? { ...nothing, text: replyText(reply, templates) } : erased;
  }
  const plaintext = openItem(keys, row.sealed);
  if (!plaintext) return erased;
  const { text, location, contactNames, fileName } = describeItem(plaintext.item);
  const { name, phone, bsuid } = profileOf(plaintext);
  const inGroup = row.participant !== null && row.participant !== '-';
  return {
    text,
    location,
    contactNames: [...contactNames],
    fileName,
    sender: inGroup ? (name ?? phone ?? bsuid) : null,
    erased: false,
  };
};

/** One line of a thread, opened at the moment of reading. */
export const showItem = (row: ListedItem, keys: SubjectKeys, templates: readonly Template[]): ThreadItem => {
  const { fileName, ...words } = open(row, keys, templates);
  const reacts = row.message_type === 'reaction';
  return {
    id: row.item_id,
    kind: row.kind,
    at: row.at,
    messageType: row.message_type,
    messageRef: row.message_ref,
    ...words,
    media: row.media && {
      mediaId: row.media.mediaId,
      mimeType: row.media.mimeType,
      state: row.media_state ?? 'pending',
      voice: row.media.voice,
      fileName,
    },
    contextRef: reacts ? null : row.context_ref,
    reactionTo: reacts ? row.context_ref : null,
    agentId: row.agent_id,
    ...progressOf(row),
    event: row.event_type === null ? null : { type: row.event_type, taskId: row.conversation_id },
  };
};

/** What these lines show, for the access record: only fields that hold something. */
export const fieldsShown = (items: readonly ThreadItem[]): DisclosedField[] => {
  const fields = new Set<DisclosedField>();
  for (const { kind, text, sender, location, contactNames, media } of items) {
    if (text !== null) fields.add(kind === 'note' ? 'note' : kind === 'reply' ? 'reply_text' : 'message_text');
    if (sender !== null) fields.add('display_name');
    if (location !== null) fields.add('location');
    if (contactNames.length > 0) fields.add('contact_card');
    if (media !== null) fields.add('media');
  }
  return [...fields];
};
