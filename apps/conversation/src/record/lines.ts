import { contradictWindow, evolveWindow, noWindow, windowExpiresAt, type WindowState } from '@centralita/domain-conversation';
import { inOneTrip, type Part, type Tx } from '@centralita/event-store';
import { lineKey, type LineKey } from './load.js';
import { readRows, replaceRows } from './rows.js';
import type { Recorded } from './recorded.js';

type LineRow = {
  readonly phone_number_id: string;
  readonly subject_id: string;
  readonly opened_at: string | null;
  readonly contradicted_at: string | null;
};

const windowRows = (windows: Iterable<LineKey & { readonly window: WindowState }>): Part[] =>
  replaceRows(
    'service_window',
    ['phone_number_id', 'subject_id'],
    [...windows].map(({ phoneNumberId, subjectId, window }) => ({
      phone_number_id: phoneNumberId,
      subject_id: subjectId,
      opened_at: window.openedAt,
      contradicted_at: window.contradictedAt,
      expires_at: windowExpiresAt(window),
    })),
  );

/** The provider said at these times that these windows are closed: one read, one write. */
export const contradictWindows = async (
  tx: Tx,
  contradictions: readonly (LineKey & { readonly at: string })[],
): Promise<void> => {
  if (contradictions.length === 0) return;
  const rows = await readRows<LineRow>(
    tx,
    `select l.phone_number_id, l.subject_id, l.opened_at, l.contradicted_at
     from service_window l join (select distinct * from unnest($2::text[], $3::uuid[]) as u (phone_number_id, subject_id)) u
       using (phone_number_id, subject_id)
     where l.tenant_id = $1 and l.subject_id = any ($3)`,
    [tx.tenantId, contradictions.map(({ phoneNumberId }) => phoneNumberId), contradictions.map(({ subjectId }) => subjectId)],
  );
  const windows = new Map<string, LineKey & { window: WindowState }>(
    rows.map((row) => {
      const line = { phoneNumberId: row.phone_number_id, subjectId: row.subject_id };
      return [lineKey(line), { ...line, window: { openedAt: row.opened_at, contradictedAt: row.contradicted_at } }];
    }),
  );
  for (const { phoneNumberId, subjectId, at } of contradictions) {
    const line = { phoneNumberId, subjectId };
    windows.set(lineKey(line), { ...line, window: contradictWindow(windows.get(lineKey(line))?.window ?? noWindow, at) });
  }
  inOneTrip(tx, windowRows(windows.values()));
};

/** Windows that these events moved. */
export const projectWindows = (known: ReadonlyMap<string, WindowState>, recorded: readonly Recorded[]): Part[] => {
  const moved = new Map<string, LineKey & { window: WindowState }>();
  for (const { event } of recorded) {
    if (event.type !== 'conversation.window.opened.v1') continue;
    const { phoneNumberId, subjectId } = event.data;
    const line = { phoneNumberId, subjectId };
    const before = moved.get(lineKey(line))?.window ?? known.get(lineKey(line)) ?? noWindow;
    moved.set(lineKey(line), { ...line, window: evolveWindow(before, event) });
  }
  return windowRows(moved.values());
};

/** Contacts that these events founded. */
export const projectContacts = (recorded: readonly Recorded[]): Part[] =>
  replaceRows(
    'subject',
    ['subject_id'],
    recorded.flatMap(({ event }) =>
      event.type === 'contact.identified.v1' ? [{ subject_id: event.data.subjectId, contact_id: event.data.contactId }] : [],
    ),
  );
