import type { IdentityUser } from './users.js';

const escapes: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
const escape = (text: string): string => text.replace(/[&<>"']/g, (character) => escapes[character] as string);

const page = (title: string, body: string): string => `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(title)}</title>
<style>
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto; padding: 0 1rem; color: #1b1f24; background: #fff }
  h1 { font-size: 1.4rem } h2 { font-size: 1rem; margin: 1.5rem 0 .5rem }
  .users { display: flex; flex-wrap: wrap; gap: .5rem }
  button { font: inherit; padding: .4rem .8rem; border: 1px solid #6b7280; border-radius: .4rem; background: #f3f4f6; color: inherit; cursor: pointer; text-align: left }
  button small { display: block; color: #4b5563 } button:focus-visible, input:focus-visible { outline: 3px solid #1d4ed8; outline-offset: 2px }
  input { font: inherit; padding: .4rem; border: 1px solid #6b7280; border-radius: .4rem } label { margin-right: 1rem }
  [role=alert] { color: #b91c1c; font-weight: 600 }
</style>
<main><h1>${escape(title)}</h1>${body}</main>
</html>`;

/** The sign-in page: one button a user, and a form for those who type. Both post `username` and `password` to `action`. */
export const signInPage = (action: string, users: readonly IdentityUser[], failed: boolean): string => {
  const tenants = Map.groupBy(users, (user) => user.tenantLabel ?? user.tenant);
  const button = (user: IdentityUser): string => `<form method="post" action="${escape(action)}">
<input type="hidden" name="username" value="${escape(user.username)}"><input type="hidden" name="password" value="${escape(user.password)}">
<button type="submit">${escape(user.label)}<small>${escape(user.roles.join(', '))}</small></button></form>`;
  const groups = [...tenants].map(
    ([tenant, members]) => `<h2>${escape(tenant)}</h2><div class="users">${members.map(button).join('')}</div>`,
  );
  return page(
    'Centralita sign-in (development)',
    `<p>This provider exists on this machine only. Choose who you are.</p>
${failed ? '<p role="alert">User name or password is wrong.</p>' : ''}
${groups.join('\n')}
<h2>Or type it</h2>
<form method="post" action="${escape(action)}" id="sign-in">
<label>User name <input name="username" autocomplete="username" required></label>
<label>Password <input name="password" type="password" autocomplete="current-password" required></label>
<button type="submit">Sign in</button>
</form>`,
  );
};

/** Signing out needs no second question here: the form that the provider wants is posted by the page itself. */
export const signOutPage = (form: string): string =>
  page(
    'Signing out',
    `${form}<button type="submit" form="op.logoutForm" name="logout" value="yes">Sign out</button>
<script>document.querySelector('button').click()</script>`,
  );

export const messagePage = (title: string, text: string): string => page(title, `<p>${escape(text)}</p>`);
