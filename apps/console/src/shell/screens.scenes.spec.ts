import { gzipSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import { MONTH, WABA } from '../testing/billing-world.spec.js';
import { picture, violations } from '../testing/browser.spec.js';
import { SUBJECT } from '../testing/ledger-world.spec.js';
import { nuria, openFresh, page, server, visit } from '../testing/stage.spec.js';
import { offer, sessionOf } from '../testing/world.spec.js';

it('brings at most 200 kB of script, 25 of style and 60 of fonts to the first page', async () => {
  server.state.session = sessionOf('agent');
  await openFresh();
  const weight = { script: 0, stylesheet: 0, font: 0 };
  const weighed: Promise<void>[] = [];
  page.on('response', (response) => {
    const kind = response.request().resourceType() as keyof typeof weight;
    if (!(kind in weight)) return;
    weighed.push(
      response.body().then((bytes) => {
        weight[kind] += kind === 'font' ? bytes.length : gzipSync(bytes).length;
      }),
    );
  });
  await page.goto(`${server.url}/inbox/mine`);
  await page.getByRole('row').first().waitFor();
  await page.waitForLoadState('networkidle');
  await Promise.all(weighed);
  expect(weight.script).toBeLessThanOrEqual(200_000);
  expect(weight.stylesheet).toBeLessThanOrEqual(25_000);
  expect(weight.font).toBeLessThanOrEqual(60_000);
  expect(weight.script).toBeGreaterThan(50_000);
});

describe('every screen', () => {
  const screens = [
    ['sign-in', null, '/', 'Entrar'],
    ['inbox', 'agent', `/inbox/mine/${nuria}`, 'Llego el viernes'],
    ['ledger', 'compliance', `/ledger/people/${SUBJECT}`, 'Historial completo'],
    ['months', 'billing', '/billing', 'Noviembre de 2026'],
    ['statement', 'billing', `/billing/${WABA}/${MONTH}`, 'partes = total'],
    ['platform', 'platform', '/platform', 'No hay nada aparcado.'],
    ['settings', 'agent', '/settings', 'Teclas'],
  ] as const;

  it.each(screens.flatMap((screen) => (['light', 'dark'] as const).map((scheme) => [scheme, ...screen] as const)))(
    'has no fault that axe finds, in %s: %s',
    async (scheme, name, role, path, text) => {
      server.state.session = role === null ? null : sessionOf(role);
      server.state.offers = [offer];
      await visit(path, { scheme });
      await page.getByText(text).last().waitFor();
      if (name === 'inbox') await page.getByRole('article', { name: /Conversación nueva/ }).waitFor();
      await picture(page, `${name}-${scheme}`);
      expect(await violations(page)).toEqual([]);
    },
  );

  it.each([
    ['es-ES', 'es', 'Responder', 'Nota interna', 'Aceptar'],
    ['en-GB', 'en', 'Reply', 'Note', 'Accept'],
    ['pt-BR', 'pt', 'Responder', 'Nota interna', 'Aceitar'],
  ] as const)('speaks the language of the browser: %s', async (locale, lang, reply, note, accept) => {
    server.state.session = sessionOf('agent');
    server.state.offers = [offer];
    await visit(`/inbox/mine/${nuria}`, { locale });
    await page.getByRole('tab', { name: reply }).waitFor();
    await page.getByRole('tab', { name: note }).waitFor();
    await page
      .getByRole('article')
      .filter({ has: page.getByRole('button', { name: accept }) })
      .waitFor();
    await page.getByRole('log').getByText('Llego el viernes').waitFor();
    expect(await page.evaluate(() => document.documentElement.lang)).toBe(lang);
    await picture(page, `inbox-${lang}`);
  });

  it('changes the language when asked, and remembers it', async () => {
    server.state.session = sessionOf('billing');
    await visit('/settings');
    await page.getByLabel('Português').check();
    await page.getByRole('heading', { name: 'Ajustes' }).waitFor();
    await page.reload();
    await page.getByRole('button', { name: 'Sair' }).waitFor();
  });

  it('offers a conversation on a narrow page too, whatever is open', async () => {
    server.state.session = sessionOf('agent');
    server.state.offers = [offer];
    await visit(`/inbox/mine/${nuria}`, { width: 320 });
    await page.getByRole('article', { name: /Conversación nueva/ }).waitFor();
    await picture(page, 'offer-320');
    expect(await violations(page)).toEqual([]);
  });

  it.each([720, 320])('stands on %d pixels without scrolling sideways', async (width) => {
    server.state.session = sessionOf('agent');
    await visit(`/inbox/mine/${nuria}`, { width });
    await page.getByRole('log').getByText('Llego el viernes').waitFor();
    await picture(page, `inbox-${width}`);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
    await page.goto(`${server.url}/inbox/mine`);
    await page.getByRole('row').first().waitFor();
    await picture(page, `list-${width}`);
  });
});
