import { join } from 'node:path';

/** The checkout: the same from `src` and from `dist`. */
export const repository = join(import.meta.dirname, '../../..');

export const charts = join(repository, 'deploy/charts');
export const mainChart = join(charts, 'centralita');
export const dependenciesChart = join(charts, 'centralita-deps');
