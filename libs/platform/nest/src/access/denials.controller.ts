import { Roles, Uuid } from '@centralita/contracts';
import { Controller } from '@nestjs/common';
import { z } from 'zod';
import { Endpoint, route, type InputOf } from '../endpoint/route.js';
import { AccessRecorder } from './recorder.js';

export const recordDenial = route({
  method: 'POST',
  path: '/v1/internal/denials',
  summary: 'The gateway refused somebody; the owner of the data records it.',
  roles: Roles,
  internal: 'denial',
  body: z.object({
    action: z.string().min(1).max(64),
    resource: z.object({ type: z.string().min(1).max(32), id: z.string().min(1).max(80) }),
  }),
  response: z.object({ recordId: Uuid }),
  status: 201,
});

/** Who was refused stands in the gateway's token, so that nobody can be accused by a body. */
@Controller()
export class DenialsController {
  constructor(private readonly recorder: AccessRecorder) {}

  @Endpoint(recordDenial)
  async record(input: InputOf<typeof recordDenial>): Promise<z.infer<typeof recordDenial.response>> {
    const { address, userAgent } = input.request;
    return { recordId: await this.recorder.denied(input.body, { actor: input.actor, address, userAgent }) };
  }
}
