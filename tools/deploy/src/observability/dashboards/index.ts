import { join } from 'node:path';
import { format } from 'prettier';
import { mainChart } from '../../repository.js';
import { integrity } from './integrity.js';
import { dashboardJson, type Dashboard } from './model.js';
import { kafka, pipeline } from './flow.js';
import { overview } from './overview.js';
import { autoscaling, postgres, services } from './services.js';

export const dashboards: readonly Dashboard[] = [overview, pipeline, services, kafka, postgres, integrity, autoscaling];

export const dashboardsFolder = join(mainChart, 'files/dashboards');

/** What stands in files/dashboards: file name and contents. */
export const dashboardFiles = async (): Promise<ReadonlyMap<string, string>> =>
  new Map(
    await Promise.all(
      dashboards.map(
        async (dashboard) =>
          [`${dashboard.name}.json`, await format(dashboardJson(dashboard), { parser: 'json', printWidth: 130 })] as const,
      ),
    ),
  );
