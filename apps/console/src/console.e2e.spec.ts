import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { v5 } from 'uuid';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { openPage, picture, startBrowser, violations, type Look } from './testing/browser.spec.js';
import { MONTH, WABA } from './testing/billing-world.spec.js';
import { SUBJECT } from './testing/ledger-world.spec.js';
import { problem, startStandIn } from './testing/stand-in.spec.js';
import { at, conversationId, item, ME, NOW, offer, sessionOf, TENANT } from './testing/world.spec.js';

let browser: Browser;
let server: Awaited<ReturnType<typeof startStandIn>>;
let page: Page;
let context: BrowserContext;
let faults: string[];

beforeAll(async () => {
  [browser, server] = await Promise.all([startBrowser(), startStandIn()]);
});
afterAll(async () => {
  await browser?.close();
  await server?.close();
});
beforeEach(() => server.reset());
afterEach(async () => {
  await context?.close();
  expect(faults).toEqual([]);
});
const visit = async (path: string, look: Look = {}): Promise<void> => {
  ({ page, context, faults } = await openPage(browser, look));
  await page.goto(`${server.url}${path}`);
};
const [nuria, marta] = [conversationId(1), conversationId(5)];
const commandsTo = (path: string) => server.commands.filter((each) => each.path === path);
const until = async (condition: () => boolean | Promise<boolean>): Promise<void> => {
  const end = Date.now() + 10_000;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error('the condition never held');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
};

describe('signing in', () => {
  it('is offered to whoever has no session, and comes back to the same address', async () => {
    await visit(`/ledger/people/${SUBJECT}?record=3`);
    const link = page.getByRole('link', { name: 'Entrar' });
    expect(await link.getAttribute('href')).toBe(
      `/auth/login?returnTo=${encodeURIComponent(`/ledger/people/${SUBJECT}?record=3`)}`,
    );
    // The one failed question is what asked for the session.
    expect(server.opened).toEqual([]);
  });

  it('says why somebody could not be signed in, and begins again from the first page', async () => {
    await visit('/?signIn=FORBIDDEN');
    await page.getByText('Tu cuenta no tiene aquí empresa o rol.').waitFor();
    expect(await page.getByRole('link', { name: 'Entrar' }).getAttribute('href')).toBe('/auth/login?returnTo=%2F');
    expect(await violations(page)).toEqual([]);
  });

  it('leads to the first page of the role', async () => {
    for (const [role, path] of [
      ['agent', '/inbox/mine'],
      ['supervisor', '/inbox/all'],
      ['compliance', '/ledger'],
      ['billing', '/billing'],
      ['platform', '/settings'],
    ] as const) {
      server.state.session = sessionOf(role);
      await visit('/');
      await page.waitForURL(`${server.url}${path}`);
      await context.close();
    }
  });

  it('is offered again when the session has ended, and nothing of a customer stays on the page', async () => {
    server.state.session = sessionOf('agent');
    await visit(`/inbox/mine/${nuria}`);
    await page.getByRole('log').getByText('Llego el viernes').waitFor();
    server.endSessions();
    await page.getByText('Tu sesión ha terminado.').waitFor();
    expect(await page.getByText('Llego el viernes').count()).toBe(0);
    await picture(page, 'ended');
  });

  it('names the role that a foreign address needs', async () => {
    server.state.session = sessionOf('agent');
    await visit('/ledger');
    await page.getByText('Esta página necesita el rol Cumplimiento.').waitFor();
    expect(server.opened.some((path) => path.startsWith('/api/v1/access'))).toBe(false);
  });
});

describe('the inbox', () => {
  beforeEach(() => {
    server.state.session = sessionOf('agent');
  });
  const row = (name: string) => page.getByRole('row').filter({ hasText: name });

  it('shows how long there is left to answer: hours, minutes, closed', async () => {
    await visit('/inbox/mine');
    await row('Ñandú').waitFor();
    expect(await row('Ñandú').getByRole('timer').getAttribute('aria-label')).toBe('Quedan 3:22 para responder');
    expect(await row('Über').getByRole('timer').innerText()).toBe('42:07');
    expect(await row('Açaí').getByRole('timer').innerText()).toBe('22 h');
    expect(await row('Çedilla').getByRole('timer').innerText()).toBe('Cerrada');
    await page.getByRole('button', { name: 'Cargar más' }).click();
    await row('Datos borrados').waitFor();
    expect(await row('Datos borrados').getByRole('timer').innerText()).toBe('Sin mensajes');
    expect(await page.getByRole('grid').getAttribute('aria-rowcount')).toBe('9');
  });

  it('is one tab stop, with arrows inside and Alt+J from anywhere', async () => {
    await visit('/inbox/mine');
    await row('Ñandú').waitFor();
    expect(await page.locator('[role=row][tabindex="0"]').count()).toBe(1);
    await page.locator('[role=row][tabindex="0"]').focus();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowDown');
    await page.waitForFunction(() => document.activeElement?.textContent?.includes('Über'));
    expect(server.opened.some((path) => path.startsWith('/api/v1/conversations/'))).toBe(false);
    await page.keyboard.press('Enter');
    await page.waitForURL(`**/${conversationId(3)}`);
    await page.keyboard.press('Alt+KeyK');
    await page.waitForURL(`**/${conversationId(2)}`);
    await page.keyboard.press('Alt+KeyJ');
    await page.waitForURL(`**/${conversationId(3)}`);
  });

  it('sends a reply with the keyboard alone, in the state that it answers, once', async () => {
    await visit(`/inbox/mine/${nuria}`);
    await page.getByRole('log').getByText('Llego el viernes').waitFor();
    await page.keyboard.press('Alt+KeyL');
    await page.waitForFunction(() => document.activeElement?.tagName === 'TEXTAREA');
    await page.keyboard.type('Claro, te la guardo.');
    await page.keyboard.press('Enter');
    await page.getByRole('log').getByText('Claro, te la guardo.').waitFor();
    await page.getByRole('log').getByText('Enviado').waitFor();
    const sent = commandsTo(`/conversations/${nuria}/replies`);
    expect(sent).toHaveLength(1);
    expect(sent[0]).toMatchObject({ ifMatch: '3.7', body: { kind: 'text', text: 'Claro, te la guardo.' } });
    expect(await page.getByRole('textbox').inputValue()).toBe('');
    // Shown once, though it was there before the server answered.
    expect(await page.getByRole('log').getByText('Claro, te la guardo.').count()).toBe(1);
  });

  it('does not send while an input method is composing', async () => {
    await visit(`/inbox/mine/${nuria}`);
    const area = page.getByRole('textbox', { name: 'Escribe una respuesta' });
    await area.fill('かな');
    await area.dispatchEvent('keydown', { key: 'Enter', code: 'Enter', isComposing: true, bubbles: true });
    expect(server.commands.filter(({ path }) => path.endsWith('/replies'))).toEqual([]);
    await area.press('Enter');
    await until(() => commandsTo(`/conversations/${nuria}/replies`).length === 1);
  });

  it('turns into a template picker when the window lapses, and keeps text and focus', async () => {
    await visit(`/inbox/mine/${nuria}`);
    const area = page.getByRole('textbox', { name: 'Escribe una respuesta' });
    await area.fill('el precio del fin de semana');
    const lapsed = NOW + 4 * 3_600_000;
    server.state.now = lapsed;
    await page.clock.setFixedTime(lapsed);
    await page.getByText('Ventana cerrada. Solo puedes enviar una plantilla.').waitFor();
    expect(await page.evaluate(() => (document.activeElement as HTMLTextAreaElement).value)).toBe('el precio del fin de semana');
    await page.keyboard.press('Enter');
    expect(server.commands.filter(({ path }) => path.endsWith('/replies'))).toEqual([]);

    await page.getByLabel('Elige una plantilla').selectOption('follow_up es');
    await page.getByLabel('Valor 1').fill('Ñandú');
    await page.getByRole('button', { name: 'Usar en un valor' }).click();
    await page.getByText('Hola, Ñandú. Seguimos con tu consulta sobre el precio del fin de semana.').waitFor();
    await picture(page, 'template');
    await page.getByRole('button', { name: 'Enviar plantilla' }).click();
    await until(() => commandsTo(`/conversations/${nuria}/replies`).length === 1);
    expect(commandsTo(`/conversations/${nuria}/replies`)[0]?.body).toEqual({
      kind: 'template',
      template: 'follow_up',
      language: 'es',
      values: ['Ñandú', 'el precio del fin de semana'],
    });
  });

  it('offers only templates where the window is closed', async () => {
    await visit(`/inbox/mine/${marta}`);
    await page.getByRole('button', { name: 'Enviar plantilla' }).waitFor();
    expect(await page.getByRole('button', { name: 'Enviar', exact: true }).count()).toBe(0);
    expect(await violations(page)).toEqual([]);
  });

  it('gives the text back when somebody answered first', async () => {
    await visit(`/inbox/mine/${nuria}`);
    await page.getByRole('log').getByText('Llego el viernes').waitFor();
    const detail = server.state.details.find((each) => each.conversationId === nuria);
    if (detail) detail.replyVersion = '4.7';
    server.state.threads.get(nuria)?.unshift(
      item({
        id: conversationId(77),
        kind: 'reply',
        at: at(-60_000),
        text: 'Ya está reservada.',
        agentId: offer.taskId,
        status: 'sent',
      }),
    );
    await page.getByRole('textbox', { name: 'Escribe una respuesta' }).fill('¿Con vistas?');
    await page.keyboard.press('Enter');
    await page.getByText('Alguien respondió hace 1 min. Tu mensaje no ha salido.').waitFor();
    await picture(page, 'conflict');
    await page.getByRole('button', { name: 'Enviar igualmente' }).click();
    await page.getByRole('log').getByText('¿Con vistas?').waitFor();
    const sent = commandsTo(`/conversations/${nuria}/replies`);
    expect(sent.map(({ ifMatch }) => ifMatch)).toEqual(['3.7', '4.7']);
    expect(new Set(sent.map(({ key }) => key)).size).toBe(2);
  });

  it('says why a reply was refused, and keeps it', async () => {
    server.state.refuse.set(`POST /api/v1/conversations/${nuria}/replies`, problem(422, 'NOT_ASSIGNED'));
    await visit(`/inbox/mine/${nuria}`);
    await page.getByRole('textbox', { name: 'Escribe una respuesta' }).fill('Hola');
    await page.keyboard.press('Enter');
    await page.getByText('No tienes asignada esta conversación.').waitFor();
    await page.getByRole('button', { name: 'Editar' }).click();
    expect(await page.getByRole('textbox', { name: 'Escribe una respuesta' }).inputValue()).toBe('Hola');
  });

  it('takes an offer without moving the focus, and opens it', async () => {
    server.state.offers = [offer];
    await visit('/inbox/mine');
    await page.getByRole('article', { name: /Conversación nueva: Reservas, espera 1 min/ }).waitFor();
    expect(await page.evaluate(() => document.activeElement?.tagName)).toBe('BODY');
    await page.keyboard.press('Alt+KeyY');
    await page.waitForURL(`**/${offer.conversationId}`);
    expect(commandsTo(`/offers/${offer.reservationId}/accept`)).toHaveLength(1);
    await page.getByRole('article', { name: /Conversación nueva/ }).waitFor({ state: 'detached' });
  });

  it('follows what happens by pointers, and fetches only what is open', async () => {
    await visit(`/inbox/mine/${nuria}`);
    await page.getByRole('log').getByText('Llego el viernes').waitFor();
    server.state.threads
      .get(nuria)
      ?.unshift(
        item({ id: 'new'.padStart(22, 'A'), kind: 'inbound', at: at(0), messageRef: 'n'.repeat(22), text: '¿Sigues ahí?' }),
      );
    server.pointer('conversation', 'conversation.message.recorded.v1', nuria);
    await page.getByRole('log').getByText('¿Sigues ahí?').waitFor();
    await page.getByRole('status').getByText('Mensaje nuevo: ¿Sigues ahí?').waitFor();
    const others = server.opened.filter((path) => path.startsWith('/api/v1/conversations/') && !path.includes(nuria));
    expect(others).toEqual([]);
  });

  it('learns what became of a reply by a pointer, and asks for nothing in between', async () => {
    await visit(`/inbox/mine/${nuria}`);
    await page.getByRole('log').getByText('Llego el viernes').waitFor();
    await page.getByRole('textbox', { name: 'Escribe una respuesta' }).fill('Hecho.');
    await page.keyboard.press('Enter');
    const own = page.getByRole('article').filter({ hasText: 'Hecho.' });
    await own.getByText('Enviado').waitFor();
    const [reply] = server.state.threads.get(nuria) ?? [];
    const disclosed = () => server.opened.filter((path) => path.includes(nuria) && !/(?:read|replies)$/.test(path)).length;
    const before = disclosed();
    Object.assign(reply ?? {}, { status: 'delivered' });
    server.pointer('conversation', 'conversation.reply.status', nuria);
    await own.getByText('Entregado').waitFor();
    // The messages only: nothing else can have changed.
    expect(disclosed() - before).toBe(1);
    Object.assign(reply ?? {}, { status: 'failed', statusCode: '131047' });
    const detail = server.state.details.find((each) => each.conversationId === nuria);
    Object.assign(detail ?? {}, { mayReply: 'template', whyNot: 'WINDOW_CLOSED' });
    server.pointer('conversation', 'conversation.reply.status', nuria);
    await page
      .getByRole('log')
      .getByText(/No entregado/)
      .waitFor();
    await page.getByText('Ventana cerrada. Solo puedes enviar una plantilla.').waitFor();
  });

  it('asks for the own list only when one of its conversations changed', async () => {
    await visit('/inbox/mine');
    await row('Ñandú').waitFor();
    const lists = () => server.opened.filter((path) => path === '/api/v1/inbox').length;
    server.pointer('conversation', 'conversation.message.recorded.v1', conversationId(4711));
    server.pointer('routing', 'task.assigned.v1', conversationId(4712));
    server.pointer('conversation', 'conversation.reply.status', nuria);
    // The desk was asked for, so everything before it has been seen.
    await until(() => server.opened.filter((path) => path === '/api/v1/me').length > 1);
    expect(lists()).toBe(1);
    server.pointer('conversation', 'conversation.message.recorded.v1', nuria);
    await until(() => lists() === 2);
  });

  it('marks as read what comes into the open conversation, and counts it nowhere', async () => {
    await visit(`/inbox/mine/${nuria}`);
    await page.getByRole('log').getByText('Llego el viernes').waitFor();
    await until(() => commandsTo(`/conversations/${nuria}/read`).length === 1);
    server.state.threads
      .get(nuria)
      ?.unshift(item({ id: 'new'.padStart(22, 'B'), kind: 'inbound', at: at(0), messageRef: 'm'.repeat(22), text: '¿Hola?' }));
    Object.assign(server.state.rows.find(({ conversationId: id }) => id === nuria) ?? {}, { unread: 1, preview: '¿Hola?' });
    server.pointer('conversation', 'conversation.message.recorded.v1', nuria);
    await row('¿Hola?').waitFor();
    await until(() => commandsTo(`/conversations/${nuria}/read`).length === 2);
    expect(await row('¿Hola?').getByText('1 sin leer').count()).toBe(0);
  });

  it('shows how long a closed conversation still takes a place, and frees it when asked', async () => {
    const closed = { state: 'closed' as const };
    Object.assign(server.state.rows.find(({ conversationId: id }) => id === nuria) ?? {}, closed);
    const detail = server.state.details.find(({ conversationId: id }) => id === nuria);
    Object.assign(detail ?? {}, { ...closed, mayReply: 'no', whyNot: 'CONVERSATION_CLOSED' });
    server.state.tasks = [{ taskId: nuria, state: 'wrapping', since: at(-5000), wrapUpUntil: at(20_000) }];
    await visit(`/inbox/closed/${nuria}`);
    await row('Ñandú').getByText('Terminando 00:20').waitFor();
    // And below whatever list is shown, with the way back to it.
    await page.getByRole('region', { name: 'Ofertas' }).getByRole('link', { name: 'Cliente Ñandú' }).waitFor();
    await picture(page, 'wrap-up');
    expect(await violations(page)).toEqual([]);
    await page.getByRole('region', { name: 'Cliente Ñandú' }).getByRole('button', { name: 'Terminar ya' }).click();
    await until(() => commandsTo(`/tasks/${nuria}/complete`).length === 1);
    server.state.tasks = [];
    server.state.rows = server.state.rows.filter(({ conversationId: id }) => id !== nuria);
    server.pointer('routing', 'task.completed.v1', v5(`task:${nuria}`, TENANT));
    await row('Ñandú').waitFor({ state: 'detached' });
  });

  it('asks once for what is opened, and not again for its parts', async () => {
    await visit(`/inbox/mine/${nuria}`);
    await page.getByRole('log').getByText('Llego el viernes').waitFor();
    await page.getByRole('button', { name: 'Mostrar', exact: true }).waitFor();
    await page.keyboard.press('Alt+KeyO');
    await page.getByRole('complementary').waitFor({ state: 'detached' });
    await page.keyboard.press('Alt+KeyO');
    await page.getByRole('complementary').getByText('Reservas').waitFor();
    const disclosed = server.opened.filter((path) => /^\/api\/v1\/(?:inbox|conversations)/.test(path) && !path.endsWith('/read'));
    expect(disclosed.toSorted()).toEqual([
      `/api/v1/conversations/${nuria}`,
      `/api/v1/conversations/${nuria}/messages`,
      '/api/v1/inbox',
    ]);
  });

  it('lets answer as soon as the assignment is there, which may come after the conversation', async () => {
    const detail = server.state.details.find((each) => each.conversationId === nuria);
    Object.assign(detail ?? {}, { assignedAgentId: null, state: 'waiting', mayReply: 'no', whyNot: 'NOT_ASSIGNED' });
    await visit(`/inbox/mine/${nuria}`);
    await page.getByRole('textbox', { name: 'Escribe una nota para el equipo' }).waitFor();
    Object.assign(detail ?? {}, { assignedAgentId: ME, state: 'assigned', mayReply: 'text', whyNot: null });
    // Routing names the task by a stream of its own, derived from tenant and conversation.
    server.pointer('routing', 'task.assigned.v1', v5(`task:${nuria}`, TENANT));
    await page.getByRole('textbox', { name: 'Escribe una respuesta' }).waitFor();
  });

  it('opens a file only when asked', async () => {
    await visit(`/inbox/mine/${nuria}`);
    await page.getByRole('button', { name: 'Mostrar imagen' }).waitFor();
    expect(server.opened.some((path) => path.startsWith('/api/v1/media'))).toBe(false);
    await page.getByRole('button', { name: 'Mostrar imagen' }).click();
    await page.getByRole('img', { name: 'imagen' }).waitFor();
    expect(server.opened.filter((path) => path.startsWith('/api/v1/media'))).toHaveLength(1);
  });

  it('offers to save a file that cannot be shown', async () => {
    server.state.image = Buffer.from('no image at all');
    await visit(`/inbox/mine/${nuria}`);
    await page.getByRole('button', { name: 'Mostrar imagen' }).click();
    await page.getByText('Este archivo no se puede mostrar aquí.').waitFor();
    expect(await page.getByRole('link', { name: 'Guardar imagen' }).getAttribute('download')).toBe('imagen');
    expect(await violations(page)).toEqual([]);
  });

  it('shows a phone for a reason, and hides it again', async () => {
    await visit(`/inbox/mine/${nuria}`);
    await page.getByRole('button', { name: 'Mostrar', exact: true }).click();
    await page.getByLabel('Elige un motivo; se registra.').selectOption('SUBJECT_REQUEST');
    await page.getByRole('button', { name: 'Mostrar', exact: true }).click();
    await page.getByText('+34 600 123 821').waitFor();
    expect(commandsTo(`/conversations/${nuria}/reveal`)[0]?.body).toEqual({ field: 'phone', reason: 'SUBJECT_REQUEST' });
    await page.clock.setFixedTime(NOW + 301_000);
    server.state.now = NOW + 301_000;
    await page.getByText('+34 600 123 821').waitFor({ state: 'detached' });
  });

  it('resolves with a disposition and goes on with the next', async () => {
    await visit(`/inbox/mine/${nuria}`);
    await page.getByRole('log').getByText('Llego el viernes').waitFor();
    await page.keyboard.press('Alt+KeyE');
    await page.getByRole('dialog').getByLabel('Resuelto').check();
    await picture(page, 'resolve');
    expect(await violations(page)).toEqual([]);
    await page.getByRole('dialog').getByRole('button', { name: 'Resolver' }).click();
    await page.waitForURL(`**/${conversationId(2)}`);
    expect(commandsTo(`/conversations/${nuria}/close`)[0]?.body).toEqual({ dispositionCode: 'solved' });
  });

  it('withholds what could not be recorded, and asks again only by hand', async () => {
    server.state.refuse.set(`GET /api/v1/conversations/${nuria}`, { ...problem(503, 'AUDIT_UNAVAILABLE'), retryable: true });
    await visit(`/inbox/mine/${nuria}`);
    await page.getByText('No podemos registrar este acceso: no mostramos los datos.').waitFor();
    await picture(page, 'withheld');
    server.state.refuse.clear();
    await page.getByRole('button', { name: 'Reintentar' }).click();
    await page.getByRole('heading', { name: 'Cliente Ñandú' }).waitFor();
  });
});

describe('the ledger', () => {
  beforeEach(() => {
    server.state.session = sessionOf('compliance');
  });

  it('finds who saw a customer, and proves a record in the page', async () => {
    await visit('/ledger');
    await page.getByLabel('Teléfono, BSUID o id de persona').fill('+34 600 123 821');
    await page.keyboard.press('Enter');
    await page.waitForURL(`**/ledger/people/${SUBJECT}`);
    await page.getByText('Historial completo: 6 de 6 registros').waitFor();
    await page.getByText('sin comprobar todavía en este navegador').waitFor();
    await page.getByRole('button', { name: 'Comprobar los 6 registros' }).click();
    await page.getByText(/comprobado en este navegador a las .*, tamaño 6/).waitFor();
    await page.getByText('Historial completo: 6 de 6 registros').waitFor();
    await picture(page, 'ledger');
    await page.getByRole('row').filter({ hasText: 'contradicho' }).getByRole('button').click();
    await page.getByRole('button', { name: 'Comprobar prueba' }).click();
    await page.getByText('Probado: la hoja 3 está en el registro de tamaño 6.').waitFor();
    await picture(page, 'proof');
    expect(await violations(page)).toEqual([]);
  });

  it('shows a record that was changed as altered', async () => {
    server.state.tampered = true;
    await visit(`/ledger/people/${SUBJECT}?record=3`);
    await page.getByRole('button', { name: 'Comprobar prueba' }).click();
    await page.getByText('Alterado: hoja 3').waitFor();
    expect(await page.getByText('Probado:').count()).toBe(0);
    await picture(page, 'altered');
  });

  it('shows what the log noticed about its sources, and the record where it did', async () => {
    await visit('/ledger');
    await page.getByRole('link', { name: 'Hallazgos' }).click();
    await page.waitForURL('**/ledger/findings');
    const found = page.getByRole('row').filter({ hasText: 'faltan números' });
    expect(await found.innerText()).toContain('12–14');
    expect(await violations(page)).toEqual([]);
    await picture(page, 'findings');
    await found.getByRole('button').first().click();
    await page.getByRole('dialog').getByRole('button', { name: 'Comprobar prueba' }).waitFor();
  });

  it('shows a hole in a history as a line of its own', async () => {
    server.state.gap = 2;
    await visit(`/ledger/people/${SUBJECT}`);
    await page.getByText('Faltan registros: 5 de 6').waitFor();
    await page.getByText('Falta 1 registro entre las hojas 1 y 3').waitFor();
    await picture(page, 'gap');
  });
});

describe('billing', () => {
  it('leads from the month to the line, the message and its evidence', async () => {
    server.state.session = sessionOf('billing');
    await visit('/billing');
    await page.getByRole('link', { name: 'Noviembre de 2026' }).click();
    await page.waitForURL(`**/billing/${WABA}/${MONTH}`);
    await page.getByText('partes = total').waitFor();
    expect(await page.getByRole('row').filter({ hasText: 'Total' }).innerText()).toContain('156,01');
    expect(await page.getByRole('row').filter({ hasText: 'Rest of Europe' }).innerText()).toMatch(/17,0505\s+0,12/);
    await page.getByRole('button', { name: 'Servicio, Spain, de pago' }).click();
    await page.getByRole('dialog').getByRole('link').first().click();
    await page.getByRole('dialog').getByText('Evidencia').waitFor();
    await picture(page, 'billing-line');
    expect(await violations(page)).toEqual([]);
    await page.keyboard.press('Escape');
    await page.waitForURL(`**/billing/${WABA}/${MONTH}`);
  });
});

it('brings at most 200 kB of script, 25 of style and 60 of fonts to the first page', async () => {
  server.state.session = sessionOf('agent');
  ({ page, context, faults } = await openPage(browser));
  const weight = { script: 0, stylesheet: 0, font: 0 };
  const weighed: Promise<void>[] = [];
  page.on('response', (response) => {
    const kind = response.request().resourceType() as keyof typeof weight;
    if (!(kind in weight)) return;
    weighed.push(
      response.body().then((bytes) => {
        weight[kind] += kind === 'font' ? bytes.length : gzipSync(bytes).length;
      }),
    );
  });
  await page.goto(`${server.url}/inbox/mine`);
  await page.getByRole('row').first().waitFor();
  await page.waitForLoadState('networkidle');
  await Promise.all(weighed);
  expect(weight.script).toBeLessThanOrEqual(200_000);
  expect(weight.stylesheet).toBeLessThanOrEqual(25_000);
  expect(weight.font).toBeLessThanOrEqual(60_000);
  expect(weight.script).toBeGreaterThan(50_000);
});

describe('every screen', () => {
  const screens = [
    ['sign-in', null, '/', 'Entrar'],
    ['inbox', 'agent', `/inbox/mine/${nuria}`, 'Llego el viernes'],
    ['ledger', 'compliance', `/ledger/people/${SUBJECT}`, 'Historial completo'],
    ['months', 'billing', '/billing', 'Noviembre de 2026'],
    ['statement', 'billing', `/billing/${WABA}/${MONTH}`, 'partes = total'],
    ['settings', 'agent', '/settings', 'Teclas'],
  ] as const;

  it.each(screens.flatMap((screen) => (['light', 'dark'] as const).map((scheme) => [scheme, ...screen] as const)))(
    'has no fault that axe finds, in %s: %s',
    async (scheme, name, role, path, text) => {
      server.state.session = role === null ? null : sessionOf(role);
      server.state.offers = [offer];
      await visit(path, { scheme });
      await page.getByText(text).last().waitFor();
      if (name === 'inbox') await page.getByRole('article', { name: /Conversación nueva/ }).waitFor();
      await picture(page, `${name}-${scheme}`);
      expect(await violations(page)).toEqual([]);
    },
  );

  it.each([
    ['es-ES', 'es', 'Responder', 'Nota interna', 'Aceptar'],
    ['en-GB', 'en', 'Reply', 'Note', 'Accept'],
    ['pt-BR', 'pt', 'Responder', 'Nota interna', 'Aceitar'],
  ] as const)('speaks the language of the browser: %s', async (locale, lang, reply, note, accept) => {
    server.state.session = sessionOf('agent');
    server.state.offers = [offer];
    await visit(`/inbox/mine/${nuria}`, { locale });
    await page.getByRole('tab', { name: reply }).waitFor();
    await page.getByRole('tab', { name: note }).waitFor();
    await page
      .getByRole('article')
      .filter({ has: page.getByRole('button', { name: accept }) })
      .waitFor();
    await page.getByRole('log').getByText('Llego el viernes').waitFor();
    expect(await page.evaluate(() => document.documentElement.lang)).toBe(lang);
    await picture(page, `inbox-${lang}`);
  });

  it('changes the language when asked, and remembers it', async () => {
    server.state.session = sessionOf('billing');
    await visit('/settings');
    await page.getByLabel('Português').check();
    await page.getByRole('heading', { name: 'Ajustes' }).waitFor();
    await page.reload();
    await page.getByRole('button', { name: 'Sair' }).waitFor();
  });

  it('offers a conversation on a narrow page too, whatever is open', async () => {
    server.state.session = sessionOf('agent');
    server.state.offers = [offer];
    await visit(`/inbox/mine/${nuria}`, { width: 320 });
    await page.getByRole('article', { name: /Conversación nueva/ }).waitFor();
    await picture(page, 'offer-320');
    expect(await violations(page)).toEqual([]);
  });

  it.each([720, 320])('stands on %d pixels without scrolling sideways', async (width) => {
    server.state.session = sessionOf('agent');
    await visit(`/inbox/mine/${nuria}`, { width });
    await page.getByRole('log').getByText('Llego el viernes').waitFor();
    await picture(page, `inbox-${width}`);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
    await page.goto(`${server.url}/inbox/mine`);
    await page.getByRole('row').first().waitFor();
    await picture(page, `list-${width}`);
  });
});
