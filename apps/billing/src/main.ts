import { runService } from '@centralita/platform-nest';
import { AccountBook } from './accounts.js';
import { BillingModule } from './app.module.js';
import { runReplay } from './replay/command.js';
import { billing } from './service.js';

await runService(
  { ...billing, module: (config) => BillingModule.with(AccountBook.read(config.ACCOUNTS_FILE)) },
  { replay: () => runReplay(process.env, (line) => void process.stdout.write(`${line}\n`)) },
);
