import { evolveWindow, windowExpiresAt, type WindowEvent, type WindowState } from '@centralita/domain-conversation';
import type { Tx } from '@centralita/event-store';
import { lineKey, type LineKey } from './load.js';
import { readRows, writeRows } from './rows.js';
import type { Recorded } from './recorded.js';

type LineRow = {
  readonly phone_number_id: string;
  readonly subject_id: string;
  readonly opened_at: string | null;
  readonly contradicted_at: string | null;
};

/** Applies a change to the windows of these lines: one read, one write. */
export const changeWindows = async (
  tx: Tx,
  changes: readonly (LineKey & { readonly change: (window: WindowState) => WindowState })[],
): Promise<void> => {
  if (changes.length === 0) return;
  const rows = await readRows<LineRow>(
    tx,
    `select l.phone_number_id, l.subject_id, l.opened_at, l.contradicted_at
     from service_window l join (select distinct * from unnest($2::text[], $3::uuid[]) as u (phone_number_id, subject_id)) u
       using (phone_number_id, subject_id)
     where l.tenant_id = $1`,
    [tx.tenantId, changes.map(({ phoneNumberId }) => phoneNumberId), changes.map(({ subjectId }) => subjectId)],
  );
  const windows = new Map<string, LineKey & { window: WindowState }>(
    rows.map((row) => {
      const line = { phoneNumberId: row.phone_number_id, subjectId: row.subject_id };
      return [lineKey(line), { ...line, window: { openedAt: row.opened_at, contradictedAt: row.contradicted_at } }];
    }),
  );
  for (const { phoneNumberId, subjectId, change } of changes) {
    const line = { phoneNumberId, subjectId };
    const window = windows.get(lineKey(line))?.window ?? { openedAt: null, contradictedAt: null };
    windows.set(lineKey(line), { ...line, window: change(window) });
  }
  await writeRows(
    tx,
    'service_window',
    ['phone_number_id', 'subject_id'],
    [...windows.values()].map(({ phoneNumberId, subjectId, window }) => ({
      phone_number_id: phoneNumberId,
      subject_id: subjectId,
      opened_at: window.openedAt,
      contradicted_at: window.contradictedAt,
      expires_at: windowExpiresAt(window),
    })),
  );
};

/** Windows that these events moved. */
export const projectWindows = async (tx: Tx, recorded: readonly Recorded[]): Promise<void> =>
  changeWindows(
    tx,
    recorded
      .map(({ event }) => event)
      .filter((event): event is WindowEvent => event.type === 'conversation.window.opened.v1')
      .map((event) => ({ ...event.data, change: (window) => evolveWindow(window, event) })),
  );

/** Contacts that these events founded. */
export const projectContacts = async (tx: Tx, recorded: readonly Recorded[]): Promise<void> =>
  writeRows(
    tx,
    'subject',
    ['subject_id'],
    recorded.flatMap(({ event }) =>
      event.type === 'contact.identified.v1' ? [{ subject_id: event.data.subjectId, contact_id: event.data.contactId }] : [],
    ),
  );
