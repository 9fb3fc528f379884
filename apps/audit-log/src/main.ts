import { runService } from '@centralita/platform-nest';
import { AuditLogModule } from './app.module.js';
import { runRebuild } from './rebuild/command.js';
import { auditLog } from './service.js';
import { Signer } from './signing/signer.js';

await runService(
  { ...auditLog, module: (config) => AuditLogModule.with(Signer.read(config.AUDIT_SIGNING_KEY_FILE)) },
  { rebuild: () => runRebuild(process.env, (line) => void process.stdout.write(`${line}\n`)) },
);
