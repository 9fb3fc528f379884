import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { CloudEvent } from '@centralita/contracts';
import { FolderStore } from '@centralita/object-store';
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

describe('an item too big for a record', () => {
  it('is still a message, and lies whole in the object store as ciphertext', async () => {
    const item = text({ text: { body: 'ñ'.repeat(400_000) } });
    const { status, events } = await recorded(messages(item));
    expect(status).toBe(200);
    const [event] = events as [CloudEvent];
    expect(event.type).toBe('whatsapp.message.received.v1');
    expect(JSON.stringify(event).length).toBeLessThan(100_000);
    const { value } = (await opened(event)) as {
      value: { item: { from: string; text: { body: string } }; whole: { objectKey: string; sha256: string } };
    };
    expect(value.item).toMatchObject({ from: item['from'], text: { body: `${'ñ'.repeat(4096)}…` } });
    const keys = await fixture.keyring.sealer(blue.tenantId, [event.subject]);
    const stored = await new FolderStore(fixture.folder).get(value.whole.objectKey);
    expect(stored!.includes('ñññ')).toBe(false);
    const whole = keys.openBytes(event.subject, value.whole.objectKey, stored!);
    if (whole.state !== 'open') throw new Error('erased');
    expect(JSON.parse(whole.bytes.toString())).toMatchObject({ item });
    const references = await fixture.keyring.references(blue.tenantId);
    expect(value.whole.sha256).toBe(references.digest(whole.bytes));
    // The same item is the same fact.
    expect((await recorded(messages(item))).events.map(({ id, data }) => [id, data])).toEqual([[event.id, event.data]]);
  });

  it('is sealed whole as long as a record holds it', async () => {
    const item = text({ text: { body: 'x'.repeat(600_000) } });
    const [event] = (await recorded(messages(item))).events as [CloudEvent];
    expect(event.type).toBe('whatsapp.message.received.v1');
    expect(await opened(event)).toMatchObject({ value: { item } });
  });
});

describe('odd text', () => {
  it('in ids stays with its item, and the rest of the delivery is what it was', async () => {
    const odd = (name: string): Record<string, unknown> => {
      const item = text();
      return name === 'context' ? { ...item, context: { id: 'HALF' } } : { ...item, [name]: `HALF${String(item['id'])}` };
    };
    const items = [text(), odd('id'), odd('group_id'), odd('context'), text()];
    const body = Buffer.from(
      messages(...items)
        .toString()
        .replaceAll('HALF', '\\ud83d'),
    );
    const { status, events } = await recorded(body);
    expect(status).toBe(200);
    expect(events.map(({ type }) => type)).toEqual(items.map(() => 'whatsapp.message.received.v1'));
  });
});
