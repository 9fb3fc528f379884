import type { EventData } from '@centralita/contracts';
import type { WebhookItem } from '@centralita/whatsapp';
import { objectKeyOf, type ItemText } from './contents.js';
import {
  accountStream,
  clip,
  clipped,
  EPOCH,
  ITEM_SCHEMA,
  quarantineStream,
  RAW_SCHEMA,
  type Draft,
  type Plan,
  type Surroundings,
} from './draft.js';

type UnknownData = EventData<'whatsapp.unknown.received.v1'>;
export type UnknownReason = UnknownData['reason'];

/** Above this, what nobody reads goes to the object store. */
const MAX_RAW_BYTES = 256 * 1024;

/** Nobody's event: sealed under the month's key, or in the object store when it is big. */
const unknownPlan = (
  { app, references }: Surroundings,
  about: Pick<Draft, 'id' | 'time' | 'key' | 'sealedUnder' | 'schema'> & { readonly bytes: Buffer; readonly plaintext: string },
  data: Pick<UnknownData, 'wabaId' | 'phoneNumberId' | 'reason' | 'field'>,
): Plan => {
  const { bytes, plaintext, ...place } = about;
  const tooBig = bytes.length > MAX_RAW_BYTES;
  const objectKey = tooBig ? objectKeyOf(app.tenantId, place.sealedUnder, place.id) : null;
  const common = { app: app.app, providerTime: place.time, bytes: bytes.length, sha256: references.digest(bytes), objectKey };
  const draft: Draft = {
    ...place,
    type: 'whatsapp.unknown.received.v1',
    canonical: tooBig ? null : plaintext,
    object: objectKey === null ? null : { key: objectKey, bytes },
    data: { ...common, ...data },
  };
  return { identities: [], draft: () => draft };
};

/** Without a wamid the account and its time stand for the message; without either the month does, which also chose the key. */
export const placeOf = ({ unattributed, receivedAt }: Surroundings, { wabaId, at, entryTime }: WebhookItem): string =>
  `${wabaId}:${(at ?? entryTime)?.getTime() ?? unattributed(receivedAt)}`;

/** The event of an item that is not understood, or that the app may not write. */
export const planOfUnknown = (around: Surroundings, item: WebhookItem, text: ItemText, reason: UnknownReason): Plan => {
  const { app, references } = around;
  const time = item.at ?? item.entryTime;
  return unknownPlan(
    around,
    {
      id: references.eventIdOfText(`unknown:${reason}:${item.field}`, placeOf(around, item), text.identity),
      time: (time ?? EPOCH).toISOString(),
      key: reason === 'unregistered_account' ? quarantineStream(app.tenantId, app.app) : accountStream(app.tenantId, item.wabaId),
      sealedUnder: around.unattributed(time ?? around.receivedAt),
      schema: ITEM_SCHEMA,
      bytes: Buffer.from(text.whole),
      plaintext: text.whole,
    },
    { reason, wabaId: clip(item.wabaId, 64), phoneNumberId: clipped(item.phoneNumberId, 64), field: clip(item.field, 64) },
  );
};

/** The event of a signed body that is no JSON or no envelope. */
export const planOfBytes = (around: Surroundings, body: Buffer, reason: 'not_json' | 'not_envelope'): Plan => {
  const { app, references, receivedAt } = around;
  const sealedUnder = around.unattributed(receivedAt);
  return unknownPlan(
    around,
    {
      id: references.eventId(`unknown:${reason}`, `${app.app}:${sealedUnder}`, { digest: references.digest(body) }),
      time: EPOCH.toISOString(),
      key: quarantineStream(app.tenantId, app.app),
      sealedUnder,
      schema: RAW_SCHEMA,
      bytes: body,
      plaintext: `{"base64":"${body.toString('base64')}"}`,
    },
    { reason, wabaId: null, phoneNumberId: null, field: null },
  );
};
