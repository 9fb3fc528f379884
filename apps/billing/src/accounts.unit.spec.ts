import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { AccountBook } from './accounts.js';

const folder = mkdtempSync(join(tmpdir(), 'accounts-'));
afterAll(() => rmSync(folder, { recursive: true }));
const fileWith = (text: string): string => {
  const file = join(folder, 'accounts.json');
  writeFileSync(file, text);
  return file;
};
const account = {
  tenantId: '0190b7c0-0000-7000-8000-000000000003',
  wabaId: '501',
  timeZone: 'Europe/Madrid',
  currency: 'USD',
  numbers: [{ phoneNumberId: '501-1', displayPhoneNumber: '34911000001', name: 'Bookings' }],
};

describe(AccountBook.name, () => {
  it('finds an account of its tenant only', () => {
    const book = AccountBook.read(fileWith(JSON.stringify({ accounts: [account] })));
    expect(book.find(account.tenantId, '501')).toEqual(account);
    expect(book.find('0190b7c0-0000-7000-8000-000000000004', '501')).toBeUndefined();
  });

  it('refuses a file that is none, and names every wrong field, a zone that nobody knows too', () => {
    const invalid = expect.objectContaining({ code: 'CONFIGURATION_INVALID' });
    expect(() => AccountBook.read(join(folder, 'absent.json'))).toThrow(invalid);
    expect(() => AccountBook.read(fileWith('{'))).toThrow(invalid);
    const wrong = fileWith(JSON.stringify({ accounts: [{ ...account, timeZone: 'Europe/Nowhere', currency: 'usd' }] }));
    expect(() => AccountBook.read(wrong)).toThrow(invalid);
    expect(() => AccountBook.read(wrong)).toThrow(/timeZone[^]*currency|currency[^]*timeZone/);
  });
});
