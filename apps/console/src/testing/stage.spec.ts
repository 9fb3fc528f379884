import { afterAll, afterEach, beforeAll, beforeEach, expect } from '@jest/globals';
import type { Browser, BrowserContext, Locator, Page } from 'playwright-core';
export { until } from '@centralita/testing-engines';
import { openPage, startBrowser, type Look } from './browser.spec.js';
import { startStandIn } from './stand-in.spec.js';
import { conversationId } from './world.spec.js';

let browser: Browser;
let faults: string[] = [];
/** What the scenes play on: one browser and one stand-in for all, a fresh page for each. */
export let server: Awaited<ReturnType<typeof startStandIn>>;
export let page: Page;
export let context: BrowserContext;

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

/** A page of its own that has not gone anywhere yet. */
export const openFresh = async (look: Look = {}): Promise<void> => {
  ({ page, context, faults } = await openPage(browser, look));
};
export const visit = async (path: string, look: Look = {}): Promise<void> => {
  await openFresh(look);
  await page.goto(`${server.url}${path}`);
};

export const [nuria, marta] = [conversationId(1), conversationId(5)];
export const row = (name: string): Locator => page.getByRole('row').filter({ hasText: name });
export const commandsTo = (path: string): typeof server.commands => server.commands.filter((each) => each.path === path);
