// The phones' page: a newcomer writes as a customer and sees the business answer, with ticks.
const $ = (id) => document.getElementById(id);
const state = { world: { customers: [], groups: [], numbers: [] }, inbound: [], calls: [], current: null };
const ticks = { sent: '✓', delivered: '✓✓', read: '✓✓ read', failed: 'not delivered' };
const rank = { sent: 1, delivered: 2, read: 3, failed: 4 };

const api = async (path, body) => {
  const response = await fetch(
    path,
    body ? { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) } : {},
  );
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  return response.json();
};

const element = (tag, text, properties = {}) => Object.assign(document.createElement(tag), { textContent: text, ...properties });
const time = (at) => new Date(at).toLocaleTimeString([], { hour12: false });

const customer = () => state.world.customers.find(({ id }) => id === state.current);

const statusOf = (wamid) =>
  state.inbound
    .filter((entry) => entry.kind === 'status' && entry.wamid === wamid)
    .map((entry) => entry.item.status)
    .sort((left, right) => rank[right] - rank[left])[0];

const drawPhones = () => {
  $('phones').replaceChildren(
    ...state.world.customers.map((entry) => {
      const button = element('button', entry.name, { type: 'button', onclick: () => select(entry.id) });
      button.setAttribute('aria-current', String(entry.id === state.current));
      button.append(element('br', ''), element('small', entry.phone ? `+${entry.phone}` : (entry.bsuid ?? '')));
      const item = document.createElement('li');
      item.append(button);
      return item;
    }),
  );
};

const drawThread = () => {
  const me = customer();
  $('chat-title').textContent = me ? me.name : 'Choose a phone';
  if (!me) return;
  const number = $('number').value;
  const written = state.inbound
    .filter((entry) => entry.kind === 'message' && entry.customerId === me.id && entry.phoneNumberId === number)
    .map((entry) => ({
      at: entry.atSeconds * 1000,
      mine: true,
      text: entry.item.text?.body ?? `[${entry.item.type}]`,
      note: '',
    }));
  const answered = state.calls
    .filter(
      (call) =>
        call.phoneNumberId === number && ((me.phone && call.to === me.phone) || (me.bsuid && call.recipient === me.bsuid)),
    )
    .map((call) => ({
      at: Date.parse(call.at),
      mine: false,
      text: call.text ?? `[template ${call.template}]`,
      note: ticks[statusOf(call.wamid)] ?? '',
    }));
  $('thread').replaceChildren(
    ...[...written, ...answered]
      .sort((left, right) => left.at - right.at)
      .map((message) => {
        const item = element('li', message.text, { className: message.mine ? 'mine' : '', dir: 'auto' });
        item.append(element('small', `${time(message.at)} ${message.note}`));
        return item;
      }),
  );
  $('thread').lastElementChild?.scrollIntoView({ block: 'end' });
};

const told = {
  inbound: (event) =>
    event.kind === 'message'
      ? `${event.item.type} from a customer`
      : event.kind === 'status'
        ? `status ${event.item.status}`
        : `field ${event.field}`,
  calls: (event) => `the business answered: ${event.template ? `template ${event.template}` : event.type}`,
  refusedCalls: (event) => `the provider refused a send: ${event.code}`,
  charges: (event) => `billed: ${event.category}, ${event.market}, ${event.pricingType}`,
  deliveries: (event) => `webhook answered ${event.status || 'nothing'}${event.copy ? ` (copy ${event.copy + 1})` : ''}`,
};

const say = (kind, event) => {
  const item = element('li', '');
  item.append(element('time', time(Date.now())), ` ${told[kind](event)}`);
  $('log').prepend(item);
  while ($('log').childElementCount > 200) $('log').lastElementChild.remove();
};

const select = (id) => {
  state.current = id;
  const written = state.inbound.findLast((entry) => entry.kind === 'message' && entry.customerId === id);
  if (written) $('number').value = written.phoneNumberId;
  drawPhones();
  drawThread();
};

const load = async () => {
  const [world, journal] = await Promise.all([api('/control/world'), api('/control/journal')]);
  Object.assign(state, { world, inbound: journal.inbound, calls: journal.calls });
  const chosen = $('number').value;
  $('number').replaceChildren(
    ...world.numbers.map((number) =>
      element('option', `${number.name} ${number.displayPhoneNumber}`, { value: number.phoneNumberId }),
    ),
  );
  if (chosen) $('number').value = chosen;
  if (!state.current && world.customers[0]) select(world.customers[0].id);
  drawPhones();
  drawThread();
};

const digits = (length) => Array.from(crypto.getRandomValues(new Uint8Array(length)), (byte) => byte % 10).join('');

$('add').onclick = async () => {
  const id = `phone-${digits(8)}`;
  const name = `Customer ${state.world.customers.length + 1}`;
  await api('/control/world', {
    customers: [
      {
        id,
        phone: `346${digits(8)}`,
        bsuid: `ES.${digits(16)}`,
        name,
        username: null,
        country: 'ES',
        language: 'es',
        statusPlan: 'normal',
      },
    ],
  });
  await load();
  select(id);
  $('text').focus();
};

$('number').onchange = drawThread;
$('composer').onsubmit = async (event) => {
  event.preventDefault();
  if (!state.current) return;
  const text = $('text').value;
  $('text').value = '';
  await api('/control/messages', {
    phoneNumberId: $('number').value,
    messages: [{ customerId: state.current, type: 'text', text }],
  });
};

new EventSource('/control/events').onmessage = ({ data }) => {
  const { journal, entry } = JSON.parse(data);
  if (journal === 'inbound') state.inbound.push(entry);
  if (journal === 'calls') state.calls.push(entry);
  say(journal, entry);
  drawThread();
};

await load();
