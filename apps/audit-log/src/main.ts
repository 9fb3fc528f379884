import { runProjection, runService } from '@centralita/platform-nest';
import { AuditLogModule } from './app.module.js';
import { projections } from './projections.js';
import { runRebuild } from './rebuild/command.js';
import { auditLog } from './service.js';
import { Signer } from './signing/signer.js';

const print = (line: string): void => void process.stdout.write(`${line}\n`);

await runService(
  { ...auditLog, module: (config) => AuditLogModule.with(Signer.read(config.AUDIT_SIGNING_KEY_FILE)) },
  {
    rebuild: () => runRebuild(process.env, print),
    projection: () => runProjection(projections(process.env), process.argv[3], process.env, print),
  },
);
