import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { CloudEvent } from '@centralita/contracts';
import { FolderStore } from '../object-store/folder.js';
import { blue, fixture, messages, opened, recorded, setUp, tearDown, text } from './harness.spec.js';

beforeAll(setUp);
afterAll(tearDown);

describe('what is not understood', () => {
  it.each([
    ['not_json', Buffer.from('{"object":')],
    ['not_envelope', Buffer.from('{"object":"page","entry":[]}')],
    ['not_envelope', Buffer.from('['.repeat(200_000))],
  ])('is kept as it came and answered 200 (%s)', async (reason, body) => {
    const known = body[0] === 0x5b ? 'not_json' : reason;
    const { status, events } = await recorded(body);
    expect(status).toBe(200);
    expect(events).toMatchObject([{ type: 'whatsapp.unknown.received.v1', data: { reason: known, bytes: body.length } }]);
    expect(await opened(events[0]!)).toEqual({ state: 'open', value: { base64: body.toString('base64') } });
    // The same bytes are the same fact.
    expect((await recorded(body)).events.map(({ id, data }) => [id, data])).toEqual(events.map(({ id, data }) => [id, data]));
  });

  it('and too big for a record goes to the object store first', async () => {
    const body = Buffer.from(`{"object":"page","pad":"${'x'.repeat(300_000)}"}`);
    const [event] = (await recorded(body)).events as [CloudEvent];
    const data = event.data as { sealed: unknown; objectKey: string; bytes: number };
    expect(data).toMatchObject({ sealed: null, bytes: body.length });
    const [, , subject] = data.objectKey.split('/') as [string, string, string];
    const keys = await fixture.keyring.sealer(blue.tenantId, [subject]);
    const stored = await new FolderStore(fixture.folder).get(data.objectKey);
    expect(keys.openBytes(subject, data.objectKey, stored!)).toEqual({ state: 'open', bytes: body });
  });

  it('as an item too big for a record is kept too', async () => {
    const { status, events } = await recorded(messages(text({ text: { body: 'x'.repeat(300_000) } })));
    expect(status).toBe(200);
    expect(events).toMatchObject([{ type: 'whatsapp.unknown.received.v1', data: { reason: 'unknown_item', sealed: null } }]);
  });

  it('in an element cut inside an emoji is readable all the same', async () => {
    const body = Buffer.from(
      messages(text({ text: { body: 'HALF' } }))
        .toString()
        .replace('HALF', 'half \\ud83d'),
    );
    const [event] = (await recorded(body)).events as [CloudEvent];
    expect(event.type).toBe('whatsapp.message.received.v1');
    expect(await opened(event)).toMatchObject({
      value: { item: { text: { body: 'half \ufffd' } }, raw: expect.stringContaining('\\ud83d') },
    });
  });
});
