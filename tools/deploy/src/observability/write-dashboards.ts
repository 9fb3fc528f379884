import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { dashboardFiles, dashboardsFolder } from './dashboards/index.js';

mkdirSync(dashboardsFolder, { recursive: true });
for (const [name, contents] of await dashboardFiles()) writeFileSync(join(dashboardsFolder, name), contents);
