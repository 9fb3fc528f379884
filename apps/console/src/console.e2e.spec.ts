import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { openPage, picture, startBrowser, violations, type Look } from './testing/browser.spec.js';
import { startStandIn } from './testing/stand-in.spec.js';
import { conversationId, offer, sessionOf } from './testing/world.spec.js';

let browser: Browser;
let server: Awaited<ReturnType<typeof startStandIn>>;
let page: Page;
let context: BrowserContext;
let faults: string[];

beforeAll(async () => {
  [browser, server] = await Promise.all([startBrowser(), startStandIn()]);
});
afterAll(async () => {
  await browser?.close();
  await server?.close();
});
beforeEach(() => server.reset());
afterEach(async () => {
  await context?.close();
  expect(faults).toEqual([]);
});
const visit = async (path: string, look: Look = {}): Promise<void> => {
  ({ page, context, faults } = await openPage(browser, look));
  await page.goto(`${server.url}${path}`);
};
const inbox = `/inbox/mine/${conversationId(1)}`;

describe('pictures', () => {
  it.each(['light', 'dark'] as const)('%s', async (scheme) => {
    server.state.session = sessionOf('agent');
    server.state.offers = [offer];
    await visit(inbox, { scheme });
    await page.getByRole('log').getByText('Gracias por tu visita').waitFor();
    await page.getByRole('button', { name: 'Aceptar' }).waitFor();
    await picture(page, `inbox-${scheme}`);
    expect(await violations(page)).toEqual([]);
  });
});
