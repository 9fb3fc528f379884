import { parseArgs } from 'node:util';
import { publish } from './package.js';

// Packages one chart and pushes it; prints `digest=…`, which the release workflow signs and attests.
const { values } = parseArgs({
  options: { chart: { type: 'string' }, to: { type: 'string' }, 'plain-http': { type: 'boolean' } },
});
if (!values.chart || !values.to?.startsWith('oci://')) {
  process.stderr.write('usage: publish.ts --chart <name> --to oci://<registry>/<path> [--plain-http]\n');
  process.exit(64);
}
const { digest, reference } = publish({ chart: values.chart, to: values.to, plainHttp: values['plain-http'] ?? false });
process.stderr.write(`pushed ${reference}\n`);
process.stdout.write(`digest=${digest}\n`);
