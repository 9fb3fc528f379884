import { beforeEach, describe, expect, it } from '@jest/globals';
import { picture, violations } from '../testing/browser.spec.js';
import { SUBJECT } from '../testing/ledger-world.spec.js';
import { page, server, visit } from '../testing/stage.spec.js';
import { sessionOf } from '../testing/world.spec.js';

describe('the ledger', () => {
  beforeEach(() => {
    server.state.session = sessionOf('compliance');
  });

  it('finds who saw a customer, and proves a record in the page', async () => {
    await visit('/ledger');
    await page.getByLabel('Teléfono, BSUID o id de persona').fill('+34 600 123 821');
    await page.keyboard.press('Enter');
    await page.waitForURL(`**/ledger/people/${SUBJECT}`);
    await page.getByText('Historial completo: 6 de 6 registros').waitFor();
    await page.getByText('sin comprobar todavía en este navegador').waitFor();
    await page.getByRole('button', { name: 'Comprobar los 6 registros' }).click();
    await page.getByText(/comprobado en este navegador a las .*, tamaño 6/).waitFor();
    await page.getByText('Historial completo: 6 de 6 registros').waitFor();
    await picture(page, 'ledger');
    await page.getByRole('row').filter({ hasText: 'contradicho' }).getByRole('button').click();
    await page.getByRole('button', { name: 'Comprobar prueba' }).click();
    await page.getByText('Probado: la hoja 3 está en el registro de tamaño 6.').waitFor();
    await picture(page, 'proof');
    expect(await violations(page)).toEqual([]);
  });

  it('shows a record that was changed as altered', async () => {
    server.state.tampered = true;
    await visit(`/ledger/people/${SUBJECT}?record=3`);
    await page.getByRole('button', { name: 'Comprobar prueba' }).click();
    await page.getByText('Alterado: hoja 3').waitFor();
    expect(await page.getByText('Probado:').count()).toBe(0);
    await picture(page, 'altered');
  });

  it('shows what the log noticed about its sources, and the record where it did', async () => {
    await visit('/ledger');
    await page.getByRole('link', { name: 'Hallazgos' }).click();
    await page.waitForURL('**/ledger/findings');
    const found = page.getByRole('row').filter({ hasText: 'faltan números' });
    expect(await found.innerText()).toContain('12–14');
    expect(await violations(page)).toEqual([]);
    await picture(page, 'findings');
    await found.getByRole('button').first().click();
    await page.getByRole('dialog').getByRole('button', { name: 'Comprobar prueba' }).waitFor();
  });

  it('shows a hole in a history as a line of its own', async () => {
    server.state.gap = 2;
    await visit(`/ledger/people/${SUBJECT}`);
    await page.getByText('Faltan registros: 5 de 6').waitFor();
    await page.getByText('Falta 1 registro entre las hojas 1 y 3').waitFor();
    await picture(page, 'gap');
  });
});
