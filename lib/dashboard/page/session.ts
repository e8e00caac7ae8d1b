import type { Session } from '../api.js';
import { createStore } from './store.js';

export type SessionState =
  | { readonly state: 'asking' }
  | { readonly state: 'known'; readonly session: Session }
  | { readonly state: 'unreachable'; readonly message: string };

export const sessionStore = createStore<SessionState>({ state: 'asking' });

/** Of whoever is signed in. */
export function csrfToken(): string {
  const known = sessionStore.get();
  return known.state === 'known' ? known.session.csrfToken : '';
}

/** Nothing can be changed: so nothing that would is shown. */
export function isReadOnly(): boolean {
  const known = sessionStore.get();
  return known.state !== 'known' || known.session.readOnly;
}

/** The server does not know us any more. The view stays, for when we are signed in again. */
export function forgetSession(): void {
  sessionStore.change((known) =>
    known.state === 'known' && known.session.signedIn
      ? { state: 'known', session: { ...known.session, signedIn: false, csrfToken: '' } }
      : known,
  );
}
