import { describe, expect, it } from '@jest/globals';
import { picture, violations } from '../testing/browser.spec.js';
import { problem } from '../testing/stand-in.spec.js';
import { SUBJECT } from '../testing/ledger-world.spec.js';
import { context, nuria, page, server, visit } from '../testing/stage.spec.js';
import { sessionOf } from '../testing/world.spec.js';

describe('signing in', () => {
  it('is offered to whoever has no session, and comes back to the same address', async () => {
    await visit(`/ledger/people/${SUBJECT}?record=3`);
    const link = page.getByRole('link', { name: 'Entrar' });
    expect(await link.getAttribute('href')).toBe(
      `/auth/login?returnTo=${encodeURIComponent(`/ledger/people/${SUBJECT}?record=3`)}`,
    );
    // The one failed question is what asked for the session.
    expect(server.opened).toEqual([]);
  });

  it('says why somebody could not be signed in, and begins again from the first page', async () => {
    await visit('/?signIn=FORBIDDEN');
    await page.getByText('Tu cuenta no tiene aquí empresa o rol.').waitFor();
    expect(await page.getByRole('link', { name: 'Entrar' }).getAttribute('href')).toBe('/auth/login?returnTo=%2F');
    expect(await violations(page)).toEqual([]);
  });

  it('leads to the first page of the role', async () => {
    for (const [role, path] of [
      ['agent', '/inbox/mine'],
      ['supervisor', '/inbox/all'],
      ['compliance', '/ledger'],
      ['billing', '/billing'],
      ['platform', '/platform'],
    ] as const) {
      server.state.session = sessionOf(role);
      await visit('/');
      await page.waitForURL(`${server.url}${path}`);
      await context.close();
    }
  });

  it('is offered again when the session has ended, and nothing of a customer stays on the page', async () => {
    server.state.session = sessionOf('agent');
    await visit(`/inbox/mine/${nuria}`);
    await page.getByRole('log').getByText('Llego el viernes').waitFor();
    server.endSessions();
    await page.getByText('Tu sesión ha terminado.').waitFor();
    expect(await page.getByText('Llego el viernes').count()).toBe(0);
    await picture(page, 'ended');
  });

  it('ends when asked, or says that it did not', async () => {
    server.state.session = sessionOf('billing');
    await visit('/settings');
    server.state.refuse.set('POST /auth/logout', { ...problem(503, 'UPSTREAM_UNAVAILABLE'), retryable: true });
    await page.getByRole('button', { name: 'Salir' }).click();
    await page.getByRole('alert').waitFor();
    server.state.refuse.clear();
    await page.getByRole('button', { name: 'Reintentar' }).click();
    await page.waitForURL(`${server.url}/billing`);
  });

  it('names the role that a foreign address needs', async () => {
    server.state.session = sessionOf('agent');
    await visit('/ledger');
    await page.getByText('Esta página necesita el rol Cumplimiento.').waitFor();
    expect(server.opened.some((path) => path.startsWith('/api/v1/access'))).toBe(false);
  });
});
