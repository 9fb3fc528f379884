import { format } from 'prettier';
import { cliPage } from './cli.js';
import { metricsPage } from './metrics.js';
import { apiPage, publicApi } from './routes.js';
import { settingsPage } from './settings.js';

/** The pages of docs/reference that follow the code of the services: path below the repository and contents. */
export const referencePages = async (): Promise<ReadonlyMap<string, string>> => {
  const api = await publicApi();
  return new Map([
    ['docs/reference/cli.md', await cliPage()],
    ['docs/reference/http-api.md', apiPage(api)],
    ['docs/reference/openapi.json', await format(JSON.stringify(api), { parser: 'json', printWidth: 130 })],
    ['docs/reference/metrics.md', metricsPage()],
    ['docs/reference/settings.md', await settingsPage()],
  ]);
};
