import { describe, expect, it } from '@jest/globals';
import { MONTH, WABA } from '../testing/billing-world.spec.js';
import { picture, violations } from '../testing/browser.spec.js';
import { page, server, visit } from '../testing/stage.spec.js';
import { sessionOf } from '../testing/world.spec.js';

describe('billing', () => {
  it('leads from the month to the line, the message and its evidence', async () => {
    server.state.session = sessionOf('billing');
    await visit('/billing');
    await page.getByRole('link', { name: 'Noviembre de 2026' }).click();
    await page.waitForURL(`**/billing/${WABA}/${MONTH}`);
    await page.getByText('partes = total').waitFor();
    expect(await page.getByRole('row').filter({ hasText: 'Total' }).innerText()).toContain('156,01');
    expect(await page.getByRole('row').filter({ hasText: 'Rest of Europe' }).innerText()).toMatch(/17,0505\s+0,12/);
    await page.getByRole('button', { name: 'Servicio, Spain, de pago' }).click();
    await page.getByRole('dialog').getByRole('link').first().click();
    await page.getByRole('dialog').getByText('Evidencia').waitFor();
    await picture(page, 'billing-line');
    expect(await violations(page)).toEqual([]);
    await page.keyboard.press('Escape');
    await page.waitForURL(`**/billing/${WABA}/${MONTH}`);
  });
});
