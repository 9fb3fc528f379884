import { Disposition, Roles, Template } from '@centralita/contracts';
import { Endpoint, route, type OutputOf } from '@centralita/platform-nest';
import { Controller } from '@nestjs/common';
import { z } from 'zod';
import { Catalogue } from './catalogue.js';

const listTemplates = route({
  method: 'GET',
  path: '/v1/templates',
  summary: 'Approved templates: what may be sent when the window is closed.',
  roles: Roles,
  response: z.object({ items: z.array(Template) }),
});
const listDispositions = route({
  method: 'GET',
  path: '/v1/dispositions',
  summary: 'Codes with which a conversation is closed.',
  roles: Roles,
  response: z.object({ items: z.array(Disposition) }),
});

@Controller()
export class CatalogueController {
  constructor(private readonly catalogue: Catalogue) {}

  @Endpoint(listTemplates)
  async templates(): Promise<OutputOf<typeof listTemplates>> {
    return { items: [...this.catalogue.templates] };
  }

  @Endpoint(listDispositions)
  async dispositions(): Promise<OutputOf<typeof listDispositions>> {
    return { items: [...this.catalogue.dispositions] };
  }
}
