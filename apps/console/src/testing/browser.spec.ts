import { mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core';
import { NOW } from './world.spec.js';

const pictures = fileURLToPath(new URL('../../../../.centralita/screenshots', import.meta.url));
const axePath = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

/** Chromium from npm, unpacked to the temporary folder; `CHROMIUM_PATH` names another one. */
export const startBrowser = async (): Promise<Browser> => {
  // Read when the package is loaded: with it, the libraries that it brings along are found.
  process.env.AWS_EXECUTION_ENV ??= 'AWS_Lambda_nodejs22.x';
  const executablePath = process.env.CHROMIUM_PATH ?? (await (await import('@sparticuz/chromium')).default.executablePath());
  return chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-dev-shm-usage'] });
};

export type Look = { readonly locale?: 'es-ES' | 'en-GB' | 'pt-BR'; readonly scheme?: 'light' | 'dark'; readonly width?: number };

/** A page with a stopped clock and still pictures. `faults` gathers what the page complained about. */
export const openPage = async (
  browser: Browser,
  { locale = 'es-ES', scheme = 'light', width = 1440 }: Look = {},
): Promise<{ page: Page; context: BrowserContext; faults: string[] }> => {
  const context = await browser.newContext({
    locale,
    timezoneId: 'Europe/Madrid',
    colorScheme: scheme,
    reducedMotion: 'reduce',
    viewport: { width, height: 900 },
  });
  const page = await context.newPage();
  await page.clock.setFixedTime(NOW);
  const faults: string[] = [];
  page.on('pageerror', (error) => faults.push(error.message));
  page.on('console', (message) => {
    // A refusal of the API is part of many tests; the browser reports each as an error of its own.
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) faults.push(message.text());
  });
  return { page, context, faults };
};

export const picture = async (page: Page, name: string): Promise<void> => {
  mkdirSync(pictures, { recursive: true });
  await page.screenshot({ path: join(pictures, `${name}.png`) });
};

/** What axe finds wrong, each with its place. */
export const violations = async (page: Page): Promise<string[]> => {
  // Not as a script element: the page's content security policy forbids those, as it should.
  await page.evaluate((await import('node:fs')).readFileSync(axePath, 'utf8'));
  return page.evaluate(async () => {
    type Axe = {
      run(options: unknown): Promise<{ violations: { id: string; nodes: { html: string; failureSummary: string }[] }[] }>;
    };
    const { axe } = globalThis as unknown as { axe: Axe };
    const { violations } = await axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] });
    return violations.flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary}`));
  });
};
