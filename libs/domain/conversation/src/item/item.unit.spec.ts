import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { describeItem, preview } from './describe-item.js';
import { addressOf, maskPhone, profileOf, wamidOf } from './identity.js';
import { languageOfMarket } from './language.js';

const item = (type: string, body: unknown, more: object = {}) => ({ id: 'wamid.x', timestamp: '1', type, [type]: body, ...more });

describe('what a person sees of an item', () => {
  it.each([
    ['text', item('text', { body: 'Hola' }), 'Hola'],
    ['image with caption', item('image', { caption: 'La factura', mime_type: 'image/jpeg' }), 'La factura'],
    ['image without', item('image', { mime_type: 'image/jpeg' }), '[image]'],
    ['audio', item('audio', { voice: true }), '[audio]'],
    ['document', item('document', { filename: 'factura.pdf' }), 'factura.pdf'],
    ['location', item('location', { latitude: 1.5, longitude: -2, name: 'Casa' }), '[location]'],
    ['contacts', item('contacts', [{ name: { formatted_name: 'Eva' } }, { name: null }]), 'Eva'],
    ['button', item('button', { payload: 'p', text: 'Sí' }), 'Sí'],
    ['button reply', item('interactive', { type: 'button_reply', button_reply: { id: '1', title: 'Citas' } }), 'Citas'],
    ['list reply', item('interactive', { type: 'list_reply', list_reply: { id: '1', title: 'Lunes' } }), 'Lunes'],
    ['flow', item('interactive', { type: 'nfm_reply', nfm_reply: { name: 'flow', body: 'Sent', response_json: '{' } }), 'Sent'],
    ['flow without body', item('interactive', { type: 'nfm_reply', nfm_reply: { name: 'flow' } }), 'flow'],
    ['call permission', item('interactive', { type: 'x', call_permission_reply: { response: 'accept' } }), 'accept'],
    ['interactive, new kind', item('interactive', { type: 'x' }), '[interactive]'],
    [
      'order',
      item('order', { text: 'Pronto', product_items: [{ product_retailer_id: 'sku', quantity: 2 }, {}] }),
      'Pronto 2 × sku',
    ],
    ['order, bare', item('order', { product_items: [{ product_retailer_id: 'sku' }] }), '1 × sku'],
    ['order, empty', item('order', {}), '[order]'],
    ['reaction', item('reaction', { message_id: 'w', emoji: '👍' }), '👍'],
    ['reaction removed', item('reaction', { message_id: 'w', emoji: '' }), '[reaction]'],
    ['system', item('system', { body: 'changed number', type: 'user_changed_number' }), 'changed number'],
    ['edit', item('edit', { message: item('text', { body: 'Hola, perdón' }) }), 'Hola, perdón'],
    ['edit without message', item('edit', {}), '[edit]'],
    ['revoke', item('revoke', { original_message_id: 'w' }), '[revoke]'],
    ['unsupported', item('unsupported', { type: 'poll' }, { errors: [{ code: 131051 }] }), '[unsupported]'],
    ['unknown type', item('hologram', { depth: 3 }), '[hologram]'],
    ['call', { id: 'wacid.x', event: 'connect' }, '[call]'],
    ['nothing', null, '[unknown]'],
  ])('%s', (_, received, expected) => {
    expect(preview(describeItem(received))).toBe(expected);
  });

  it('gives places and file names apart from words', () => {
    expect(describeItem(item('location', { latitude: 1.5, longitude: -2, address: 'Calle 1' }))).toMatchObject({
      text: null,
      location: { latitude: 1.5, longitude: -2, name: 'Calle 1' },
    });
    expect(describeItem(item('location', { latitude: 'x' })).location).toBeNull();
    expect(describeItem(item('edit', { message: item('text', { body: 'b' }) })).label).toBe('[edit]');
  });

  it('never fails, whatever comes', () => {
    const types = ['text', 'interactive', 'order', 'contacts', 'location', 'edit', 'document', 'x'];
    fc.assert(
      fc.property(fc.constantFrom(...types), fc.jsonValue(), (type, body) => {
        expect(preview(describeItem({ type, [type]: body })).length).toBeGreaterThan(0);
        expect(addressOf({ item: body, contact: body })).toBeDefined();
      }),
    );
  });

  it('cuts a preview between characters, on one line', () => {
    expect(preview(describeItem(item('text', { body: '👍👍👍👍' })), 3)).toBe('👍👍…');
    expect(preview(describeItem(item('text', { body: ' a\n\n b ' })))).toBe('a b');
  });
});

describe('who wrote', () => {
  const contact = { profile: { name: 'Eva' }, wa_id: '34600111222', user_id: 'ES.13491208655302741918' };
  it('answers the phone that wrote', () => {
    const plaintext = { item: { from: '+34600111222', from_user_id: 'ES.1' }, contact };
    expect(addressOf(plaintext)).toEqual({ to: '34600111222' });
    expect(profileOf(plaintext)).toEqual({ name: 'Eva', phone: '34600111222', bsuid: 'ES.1' });
  });
  it('answers the business-scoped id when there is no phone, even where a phone belongs', () => {
    const withoutPhone = { item: { from: 'ES.1A' }, contact: { profile: {} } };
    expect(addressOf(withoutPhone)).toEqual({ recipient: 'ES.1A' });
    expect(profileOf(withoutPhone)).toEqual({ name: null, phone: null, bsuid: 'ES.1A' });
  });
  it('answers the group', () => {
    expect(addressOf({ item: { from: '34600111222', group_id: 'G1' }, contact })).toEqual({ to: 'G1', recipientType: 'group' });
  });
  it('answers nobody when nobody is named', () => {
    expect(addressOf({ item: { from: 'somebody' }, contact: null })).toBeNull();
  });
  it('reads the id to quote, masks a phone, guesses a language', () => {
    expect(wamidOf({ item: item('text', {}), contact: null })).toBe('wamid.x');
    expect(maskPhone('34600111222')).toBe('•••222');
    expect(['ES', 'BR', 'US', 'DE', null].map(languageOfMarket)).toEqual(['es', 'pt', 'en', null, null]);
  });
});
