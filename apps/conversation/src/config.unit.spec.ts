import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { loadConfig } from '@centralita/platform-nest';
import { Catalogue } from './catalogue/catalogue.js';
import { conversationEnv } from './config.js';

const folder = mkdtempSync(join(tmpdir(), 'conversation-config-'));
afterAll(() => rmSync(folder, { recursive: true }));
const file = (name: string, content: unknown): string => {
  const path = join(folder, name);
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
};
const tenantId = '0b6d2f0e-6c0a-4d6f-9b1d-3f6f5f0a9a11';
const accounts = {
  accounts: [
    {
      ...{ tenantId, wabaId: 'waba', timeZone: 'Europe/Madrid', currency: 'EUR' },
      numbers: [
        { phoneNumberId: '100', displayPhoneNumber: '+34 600', name: 'Bookings' },
        { phoneNumberId: '200', displayPhoneNumber: '+34 601', name: '' },
      ],
    },
  ],
};

describe('configuration', () => {
  it('offers templates and dispositions without any file', () => {
    const [config] = loadConfig({}, conversationEnv);
    const sut = new Catalogue(config);
    expect(sut.templates.map(({ name }) => name)).toContain('order_update');
    expect(sut.dispositions.map(({ code }) => code)).toContain('solved');
    expect(sut.nameOf(tenantId, '100')).toBe('100');
  });

  it('every template that is compiled in has as many placeholders as it says', () => {
    for (const { body, variables } of new Catalogue(loadConfig({}, conversationEnv)[0]).templates)
      expect(new Set(body.match(/\{\{\d+\}\}/g))).toHaveProperty('size', variables);
  });

  it('takes names of numbers of one tenant and not of another, and templates from files', () => {
    const template = { name: 'only', language: 'en', category: 'utility', body: 'Hi', variables: 0 };
    const env = {
      ACCOUNTS_FILE: file('accounts.json', accounts),
      TEMPLATES_FILE: file('templates.json', { templates: [template] }),
    };
    const sut = new Catalogue(loadConfig(env, conversationEnv)[0]);
    expect(sut.nameOf(tenantId, '100')).toBe('Bookings');
    expect(sut.nameOf(tenantId, '200')).toBe('+34 601');
    expect(sut.nameOf('another', '100')).toBe('100');
    expect(sut.templates).toEqual([template]);
    expect(sut.dispositions.length).toBeGreaterThan(0);
  });

  it('says what is wrong with each file, without its content', () => {
    const env = {
      ACCOUNTS_FILE: file('bad.json', { accounts: [{ tenantId: 'Canary' }] }),
      TEMPLATES_FILE: join(folder, 'none.json'),
    };
    const load = (): unknown => loadConfig(env, conversationEnv);
    expect(load).toThrow(/ACCOUNTS_FILE names a file that is not valid at accounts\.0\.tenantId/);
    expect(load).toThrow(/TEMPLATES_FILE must name a readable JSON file/);
    expect(load).not.toThrow(/Canary/);
  });
});
