import { describe, expect, it } from '@jest/globals';
import { catalogue, definitionOf, typesOf } from './catalogue.js';
import { Topics } from './define.js';
import { decodeEvent, encodeEvent } from './envelope.js';
import { sampleEvent } from './documents/sample.js';

describe('the catalogue', () => {
  it('has no type twice, and every type ends in its schema generation', () => {
    const types = catalogue.map((definition) => definition.type);
    expect(new Set(types).size).toBe(types.length);
    for (const type of types) expect(type).toMatch(/^[a-z]+(\.[a-z]+)+\.v\d+$/);
  });

  it('has events for each topic', () => {
    for (const topic of Topics) expect(typesOf(topic).length).toBeGreaterThan(0);
  });

  it('keeps personal fields inside an envelope: a type that names any has a sealed field', () => {
    for (const definition of catalogue) {
      const hasEnvelope = 'sealed' in definition.data.shape;
      expect([definition.type, definition.personal.length > 0]).toEqual([definition.type, hasEnvelope]);
    }
  });
});

describe('the codec', () => {
  it('gives back what it wrote', () => {
    const event = sampleEvent('conversation.noted.v1');
    expect(decodeEvent(encodeEvent(event))).toEqual({ event });
  });

  it('refuses to write data that breaks the contract', () => {
    expect(() => encodeEvent({ ...sampleEvent('conversation.noted.v1'), data: { text: 'in clear' } })).toThrow();
  });

  it.each([
    ['not_json', Buffer.from('{')],
    ['not_json', null],
    ['not_an_event', Buffer.from('{"specversion":"1.0"}')],
    ['unknown_type', Buffer.from(JSON.stringify({ ...sampleEvent('conversation.noted.v1'), type: 'conversation.sung.v1' }))],
    ['data_invalid', Buffer.from(JSON.stringify({ ...sampleEvent('conversation.noted.v1'), data: {} }))],
  ])('names the problem %s', (problem, bytes) => {
    expect(decodeEvent(bytes)).toMatchObject({ problem });
  });

  it('ignores fields that a newer producer added', () => {
    const event = sampleEvent('conversation.noted.v1');
    const newer = { ...event, data: { ...(event.data as object), mood: 'new' } };
    expect(decodeEvent(Buffer.from(JSON.stringify(newer)))).toEqual({ event });
  });

  it('lets an upcaster turn old data into new data', () => {
    const event = sampleEvent('conversation.disposed.v1');
    const old = { ...event, data: { ...(event.data as object), code: undefined, disposition: 'solved' } };
    const upcast = (type: string) =>
      type === event.type
        ? (data: unknown) => ({ ...(data as object), code: (data as { disposition: string }).disposition })
        : undefined;
    expect(decodeEvent(Buffer.from(JSON.stringify(old)), upcast)).toMatchObject({ event: { data: { code: 'solved' } } });
  });

  it('knows no type by accident', () => {
    expect(definitionOf('toString')).toBeUndefined();
  });
});
