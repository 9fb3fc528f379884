import { runProjection, runService } from '@centralita/platform-nest';
import { AccountBook } from './accounts.js';
import { BillingModule } from './app.module.js';
import { projections } from './projections.js';
import { runReplay } from './replay/command.js';
import { billing } from './service.js';

const print = (line: string): void => void process.stdout.write(`${line}\n`);

await runService(
  { ...billing, module: (config) => BillingModule.with(AccountBook.read(config.ACCOUNTS_FILE)) },
  {
    replay: () => runReplay(process.env, print),
    projection: () => runProjection(projections(process.env), process.argv[3], process.env, print),
  },
);
