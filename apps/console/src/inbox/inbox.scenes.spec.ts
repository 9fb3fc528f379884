import { beforeEach, describe, expect, it } from '@jest/globals';
import { v5 } from 'uuid';
import { picture, violations } from '../testing/browser.spec.js';
import { problem } from '../testing/stand-in.spec.js';
import { commandsTo, nuria, page, row, server, until, visit } from '../testing/stage.spec.js';
import { at, conversationId, item, ME, NOW, offer, sessionOf, TENANT } from '../testing/world.spec.js';

describe('the inbox', () => {
  beforeEach(() => {
    server.state.session = sessionOf('agent');
  });

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

  it('asks for all that is open when pointers may be missing', async () => {
    await visit(`/inbox/mine/${nuria}`);
    await page.getByRole('log').getByText('Llego el viernes').waitFor();
    const asked = (path: string) => server.opened.filter((each) => each === path).length;
    const paths = ['/api/v1/me', '/api/v1/inbox', `/api/v1/conversations/${nuria}`, `/api/v1/conversations/${nuria}/messages`];
    const before = paths.map(asked);
    server.state.threads
      .get(nuria)
      ?.unshift(item({ id: 'new'.padStart(22, 'C'), kind: 'inbound', at: at(0), messageRef: 'g'.repeat(22), text: '¿Me lees?' }));
    server.liveGap('conversation');
    await page.getByRole('log').getByText('¿Me lees?').waitFor();
    await until(() => paths.every((path, n) => asked(path) > (before[n] ?? 0)));
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
    // Whoever thinks again is back on the button.
    const opener = page.getByRole('button', { name: 'Resolver' });
    await opener.click();
    await page.getByRole('dialog').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await page.waitForFunction(() => document.activeElement?.textContent === 'Resolver');
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
