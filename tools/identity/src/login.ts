export type OidcLogin = {
  /** The gateway's address that starts a login, for example `http://127.0.0.1:8080/auth/login`. */
  loginUrl: string;
  username: string;
  password: string;
};

export type SignedIn = {
  /** Value for a `cookie` header to the gateway. */
  cookie: string;
  /** The same, by name. */
  cookies: Readonly<Record<string, string>>;
};

/** Cookies by origin: browsers share them between ports of one host, which would mix the gateway's with the provider's. */
class Jar {
  readonly #origins = new Map<string, Map<string, string>>();

  of(origin: string): Map<string, string> {
    const known = this.#origins.get(origin) ?? new Map<string, string>();
    this.#origins.set(origin, known);
    return known;
  }

  take(url: URL, response: Response): void {
    const jar = this.of(url.origin);
    for (const line of response.headers.getSetCookie()) {
      const [pair = '', ...attributes] = line.split(';').map((part) => part.trim());
      const [name, value] = [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)];
      const lower = attributes.map((one) => one.toLowerCase());
      const expires = lower.find((one) => one.startsWith('expires='))?.slice('expires='.length);
      const gone = value === '' || lower.includes('max-age=0') || (expires !== undefined && Date.parse(expires) <= Date.now());
      if (gone) jar.delete(name);
      else jar.set(name, value);
    }
  }

  header(url: URL): string {
    return [...this.of(url.origin)].map(([name, value]) => `${name}=${value}`).join('; ');
  }
}

const redirected = (response: Response): string | null =>
  response.status >= 300 && response.status < 400 ? response.headers.get('location') : null;

/** The address that the sign-in form posts to, or null when the page has none. */
const formAction = (page: string): string | null =>
  /<form[^>]* id="sign-in"/.test(page) ? (/<form[^>]* action="([^"]+)"[^>]* id="sign-in"/.exec(page)?.[1] ?? null) : null;

/**
 * Signs in as a script would: follows the redirects from the gateway to the provider, posts the form of the sign-in page and follows the
 * redirects back until the gateway has taken the code. Gives the cookies that the gateway has set.
 */
export const loginThroughOidc = async (login: OidcLogin): Promise<SignedIn> => {
  const jar = new Jar();
  const gateway = new URL(login.loginUrl).origin;
  let url = new URL(login.loginUrl);
  let form: URLSearchParams | null = null;
  let leftGateway = false;
  for (let hops = 0; hops < 20; hops += 1) {
    const response = await fetch(url, {
      redirect: 'manual',
      method: form === null ? 'GET' : 'POST',
      headers: { cookie: jar.header(url), accept: 'text/html' },
      ...(form === null ? {} : { body: form }),
    });
    jar.take(url, response);
    const where = `${url.origin}${url.pathname}`;
    if (url.origin !== gateway) leftGateway = true;
    else if (leftGateway) {
      await response.body?.cancel();
      if (response.status >= 400) throw new Error(`sign-in as ${login.username}: ${where} answered ${response.status}`);
      const cookies = Object.fromEntries(jar.of(gateway));
      return { cookie: jar.header(url), cookies };
    }
    const location = redirected(response);
    if (location !== null) {
      await response.body?.cancel();
      url = new URL(location, url);
      form = null;
      continue;
    }
    const action = formAction(await response.text());
    if (action === null || form !== null || response.status !== 200)
      throw new Error(`sign-in as ${login.username}: ${where} answered ${response.status}`);
    form = new URLSearchParams({ username: login.username, password: login.password });
    url = new URL(action, url);
  }
  throw new Error(`sign-in as ${login.username}: more than 20 redirects`);
};
