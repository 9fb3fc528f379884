import { describe, expect, it } from '@jest/globals';
import type { Me, Template } from '@centralita/contracts';
import { openOffers } from './offers.js';
import { replyMode } from './reply-mode.js';
import { fillTemplate, sortTemplates } from './templates.js';

const now = Date.parse('2026-11-23T10:00:00.000Z');

describe('how the customer may be answered', () => {
  const closes = (ms: number) => new Date(now + ms).toISOString();

  it('follows the server, but never offers text after the window that it named', () => {
    expect(replyMode({ mayReply: 'text', windowExpiresAt: closes(1) }, now)).toBe('text');
    expect(replyMode({ mayReply: 'text', windowExpiresAt: closes(0) }, now)).toBe('template');
    expect(replyMode({ mayReply: 'template', windowExpiresAt: closes(1000) }, now)).toBe('template');
    expect(replyMode({ mayReply: 'no', windowExpiresAt: closes(1000) }, now)).toBe('no');
  });

  it('has no window to lapse where the server names none', () => {
    expect(replyMode({ mayReply: 'text', windowExpiresAt: null }, now)).toBe('text');
  });
});

it('offers the nearest deadline first, without what is over or answered', () => {
  const offer = (reservationId: string, ms: number) =>
    ({ reservationId, expiresAt: new Date(now + ms).toISOString() }) as Me['offers'][number];
  const offers = [offer('late', 9000), offer('soon', 2000), offer('over', 0), offer('answered', 5000)];
  expect(openOffers(offers, new Set(['answered']), now).map(({ reservationId }) => reservationId)).toEqual(['soon', 'late']);
});

describe('a template', () => {
  it('shows its values, and the numbers of those that are missing', () => {
    expect(fillTemplate('Hola, {{1}}: {{2}}', ['Ñandú', ' '])).toBe('Hola, Ñandú: {{2}}');
  });

  it('does not read a value as a pattern', () => {
    expect(fillTemplate('{{1}}', ['$& {{1}}'])).toBe('$& {{1}}');
  });

  it('in the language of the customer comes first', () => {
    const template = (name: string, language: string) => ({ name, language }) as Template;
    const sorted = sortTemplates([template('a', 'en'), template('z', 'pt_BR'), template('b', 'pt')], 'pt');
    expect(sorted.map(({ name }) => name)).toEqual(['b', 'z', 'a']);
  });
});
