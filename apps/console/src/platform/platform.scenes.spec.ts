import { describe, expect, it } from '@jest/globals';
import { picture, violations } from '../testing/browser.spec.js';
import { parked, PARKED_KEY, parkedKey, healthy, troubled } from '../testing/platform-world.spec.js';
import { commandsTo, page, row, server, until, visit } from '../testing/stage.spec.js';
import { problem } from '../testing/stand-in.spec.js';
import { sessionOf } from '../testing/world.spec.js';

const everything = 'Todo funciona: 9 de 9 procesos listos, nada aparcado.';

describe('the platform page', () => {
  it('is where people of the platform team come in, and says first whether everything runs', async () => {
    server.state.session = sessionOf('platform');
    await visit('/');
    await page.waitForURL('**/platform');
    await page.getByText(everything).waitFor();
    const stages = page.getByRole('list').filter({ has: page.getByRole('heading', { name: 'Webhook' }) });
    expect(await stages.getByRole('heading').allInnerTexts()).toEqual([
      'Webhook',
      'Conversación',
      'Reparto',
      'Facturación',
      'Registro',
    ]);
    expect(await page.getByRole('img', { name: /^Reparto: Retraso\. máximo 4 s\. ahora / }).count()).toBe(1);
    await page.getByText('nunca').waitFor();
    await page.getByText('Ver como tabla').click();
    expect(await row('Reparto').innerText()).toMatch(/Reparto\s+3,1\s+5,\d\s+2\s+500 ms\s+4 s\s+0\s+0 s/);
  });

  it('shows a process that has stopped, by shape and word, and that its figures are not known', async () => {
    server.state.session = sessionOf('platform');
    await visit('/platform');
    await page.getByText(everything).waitFor();
    // when it stops, the page follows without being asked
    server.state.overview = troubled();
    server.state.parked = parked([parkedKey()], (process) => (process === 'billing' ? 'unavailable' : 'ok'));
    await page.getByText('billing no responde.', { exact: true }).waitFor();
    await page.getByText('routing no está listo. database: no answer').waitFor();
    await page.getByText('Reparto lleva 91 s de retraso.').waitFor();
    expect(await row('nadie escucha ahí').innerText()).toMatch(
      /billing\s+caído\s+nadie escucha ahí · desde .*11:42\s+–\s+–\s+–\s+–\s+–/,
    );
    await page.getByText('1204').or(page.getByText('1.204')).first().waitFor();
    await page.getByText('Sin consultar, porque no responde: billing.').waitFor();
    await picture(page, 'platform-troubled');
    expect(await violations(page)).toEqual([]);
    // and that it is back
    server.state.overview = healthy();
    await page.getByText(everything).waitFor();
  });

  it('retries a parked key, and skips it after saying what that means', async () => {
    server.state.session = sessionOf('platform');
    server.state.overview = troubled();
    server.state.parked = parked([parkedKey()]);
    await visit('/platform');
    const parkedRow = row('RECORD_INVALID');
    await parkedRow.getByRole('button', { name: 'Reintentar' }).click();
    await page.getByText('0 registros aplicados. El siguiente falla con RECORD_INVALID: la clave sigue aparcada.').waitFor();
    const skip = parkedRow.getByRole('button', { name: 'Omitir' });
    await skip.focus();
    await page.keyboard.press('Enter');
    const dialog = page.getByRole('dialog', { name: '¿Descartar este registro?' });
    await dialog.getByText('Lo que dice no estará en ninguna conversación.').waitFor();
    await dialog.getByText('Después se aplican 2 registros que esperan detrás.').waitFor();
    await dialog.getByText('wa.inbound.v1/3/1817').waitFor();
    await picture(page, 'platform-skip');
    expect(await violations(page)).toEqual([]);
    // nothing is given up by leaving, and the focus comes back
    await until(() =>
      dialog
        .getByRole('button', { name: 'Cancelar' })
        .last()
        .evaluate((each) => each === document.activeElement),
    );
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'hidden' });
    await until(() => skip.evaluate((each) => each === document.activeElement));
    expect(commandsTo(`/platform/parked/conversation/${PARKED_KEY}/skip`)).toEqual([]);
    await skip.click();
    await dialog.getByRole('button', { name: 'Descartar' }).click();
    await page.getByText('uno descartado, 2 aplicados. La clave está libre.').waitFor();
    await page.getByText('No hay nada aparcado.').waitFor();
    await page.getByText(everything).waitFor();
    expect(commandsTo(`/platform/parked/conversation/${PARKED_KEY}/skip`).map(({ body }) => body)).toEqual([
      { record: { topic: 'wa.inbound.v1', partition: 3, offset: '1817' } },
    ]);
  });

  it('keeps the dialogue open when somebody else was faster, and says so', async () => {
    server.state.session = sessionOf('platform');
    server.state.parked = parked([parkedKey()]);
    server.state.refuse.set(`POST /api/v1/platform/parked/conversation/${PARKED_KEY}/skip`, problem(412, 'VERSION_CONFLICT'));
    server.state.refuse.set(`POST /api/v1/platform/parked/conversation/${PARKED_KEY}/retry`, problem(404, 'NOT_FOUND'));
    await visit('/platform');
    await row('RECORD_INVALID').getByRole('button', { name: 'Omitir' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Descartar' }).click();
    await page.getByRole('dialog').getByRole('alert').getByText('VERSION_CONFLICT').waitFor();
    await page.getByRole('dialog').getByRole('button', { name: 'Cancelar' }).last().click();
    await row('RECORD_INVALID').getByRole('button', { name: 'Reintentar' }).click();
    await page.getByText('Esta clave ya no está aparcada.').waitFor();
  });

  it('names the process that has more of them, and shows its own', async () => {
    server.state.session = sessionOf('platform');
    server.state.parked = parked(
      [parkedKey(), parkedKey({ process: 'routing', key: 'wa.inbound.v1~3~17', code: 'ERASED', first: null })],
      (process) => (process === 'ingest-sender' ? 'no_address' : 'ok'),
      ['routing'],
    );
    await visit('/platform');
    await page.getByText('La pasarela no sabe dónde está: ingest-sender.').waitFor();
    expect(await row('ERASED').getByRole('button', { name: 'Omitir' }).isDisabled()).toBe(true);
    await page.getByRole('link', { name: 'routing tiene más' }).click();
    await page.waitForURL('**/platform?parked=routing');
    await row('RECORD_INVALID').waitFor({ state: 'detached' });
    await row('ERASED').waitFor();
    await page.getByRole('link', { name: 'Ver todas' }).click();
    await row('RECORD_INVALID').waitFor();
  });

  it('says that what it shows is old when nobody answers, and goes on by itself', async () => {
    server.state.session = sessionOf('platform');
    await visit('/platform');
    await page.getByText(everything).waitFor();
    server.state.refuse.set('GET /api/v1/platform/overview', problem(503, 'UPSTREAM_UNAVAILABLE'));
    await page.getByText('La pasarela no responde. Cifras de las 11:45:58.').waitFor();
    await page.getByText(everything).waitFor();
    await picture(page, 'platform-old');
    expect(await violations(page)).toEqual([]);
    server.state.refuse.clear();
    await page.getByText('La pasarela no responde.').waitFor({ state: 'detached' });
  });

  it('fails in place, with a way to try again', async () => {
    server.state.session = sessionOf('platform');
    server.state.refuse.set('GET /api/v1/platform/overview', problem(500, 'INTERNAL'));
    await visit('/platform');
    const notice = page.getByRole('alert');
    await notice.getByText('INTERNAL').waitFor();
    server.state.refuse.clear();
    await notice.getByRole('button', { name: 'Reintentar' }).click();
    await page.getByText(everything).waitFor();
  });

  it('says where the figures are when they are not here; parked keys are', async () => {
    server.state.session = sessionOf('platform');
    server.state.overview = { configured: false, setting: 'PLATFORM_TARGETS_FILE' };
    server.state.parked = parked([parkedKey()]);
    await visit('/platform');
    await page.getByText('Esta instalación muestra sus cifras en Grafana.').waitFor();
    await page.getByText('pon en PLATFORM_TARGETS_FILE').waitFor();
    await row('RECORD_INVALID').waitFor();
    await picture(page, 'platform-elsewhere');
    expect(await violations(page)).toEqual([]);
  });

  it('is not for others', async () => {
    server.state.session = sessionOf('supervisor');
    await visit('/platform');
    await page.getByText('Esta página necesita el rol Plataforma').waitFor();
    expect(server.opened.filter((path) => path.includes('platform'))).toEqual([]);
  });

  it.each([
    ['en-GB', 'Everything runs: 9 of 9 processes ready, nothing parked.'],
    ['pt-BR', 'Tudo funciona: 9 de 9 processos prontos, nada estacionado.'],
  ] as const)('speaks the language of the browser: %s', async (locale, sentence) => {
    server.state.session = sessionOf('platform');
    await visit('/platform', { locale });
    await page.getByText(sentence).waitFor();
    // A text that is missing shows its name.
    expect(await page.getByRole('main').innerText()).not.toContain('platform.');
    await picture(page, `platform-${locale.slice(0, 2)}`);
  });

  it.each([720, 320])('stands on %d pixels without scrolling sideways', async (width) => {
    server.state.session = sessionOf('platform');
    server.state.overview = troubled();
    server.state.parked = parked([parkedKey()]);
    await visit('/platform', { width });
    await row('RECORD_INVALID').waitFor();
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
    expect(await page.getByRole('main').evaluate((main) => main.scrollWidth - main.clientWidth)).toBeLessThanOrEqual(0);
    await picture(page, `platform-${width}`);
    expect(await violations(page)).toEqual([]);
  });
});
