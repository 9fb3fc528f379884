import type { ParkedKeyPage, ParkedKeyView } from '@centralita/contracts';
import { loginThroughOidc } from '@centralita/tool-identity';
import { projectRoot, runNode } from '@centralita/tool-start';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Stack } from './stack.js';

const cli = join(projectRoot, 'apps/cli/dist/main.js');

/** Processes with a consumer group, and the service that their tokens are for. */
export const consuming = {
  conversation: 'conversation',
  routing: 'routing',
  billing: 'billing',
  'audit-log': 'audit-log',
  'ingest-media': 'ingest',
  'ingest-sender': 'ingest',
} as const;
export type Consuming = keyof typeof consuming;

export type Said = { readonly exitCode: number; readonly output: string };

/** Somebody of a tenant's platform team, who works with `centralita parked` and nothing else. */
export class Operator {
  private constructor(
    private readonly stack: Pick<Stack, 'context' | 'fleet'>,
    private readonly cookie: string,
    readonly tenantId: string,
    readonly actorId: string,
  ) {}

  static async signIn(stack: Pick<Stack, 'context' | 'fleet'>, tenantId: string): Promise<Operator> {
    const tenant = stack.context.tenants.find((one) => one.tenantId === tenantId);
    if (!tenant) throw new RangeError(`no tenant ${tenantId}`);
    const { username, password, actorId } = tenant.platform;
    const { cookie } = await loginThroughOidc({ loginUrl: `${stack.context.gatewayUrl}/auth/login`, username, password });
    return new Operator(stack, cookie, tenantId, actorId);
  }

  async list(process: Consuming): Promise<readonly ParkedKeyView[]> {
    const { exitCode, output } = await this.#run(process, ['list', '--json']);
    if (exitCode !== 0) throw new Error(`${process}: parked list ended with ${exitCode}: ${output}`);
    return (JSON.parse(output) as ParkedKeyPage).items;
  }

  retry(process: Consuming, key: string): Promise<Said> {
    return this.#run(process, ['retry', key]);
  }

  skip(process: Consuming, key: string): Promise<Said> {
    return this.#run(process, ['skip', key]);
  }

  async #run(process: Consuming, args: readonly string[]): Promise<Said> {
    const { context, fleet } = this.stack;
    // A new one each time: they live five minutes, and a scenario on a busy machine may take longer.
    const answer = await fetch(`${context.gatewayUrl}/auth/operator-token?service=${consuming[process]}`, {
      headers: { cookie: this.cookie, 'x-centralita': '1' },
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`no operator token for ${process}: ${answer.status} ${text}`);
    const folder = join(context.folders.state, 'operators');
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const tokenFile = join(folder, `${process}-${this.tenantId}.token`);
    await writeFile(tokenFile, text, { mode: 0o600 });
    const service = `http://127.0.0.1:${fleet.specOf(process).env['HTTP_PORT']}`;
    return runNode(cli, ['parked', ...args, '--service', service, '--token-file', tokenFile]);
  }
}
