import type { ComponentChildren, JSX } from 'preact';

import { signOut } from '../client.js';
import { Icon, Mark } from '../elements/icon.js';
import type { IconName } from '../elements/icon.js';
import { tellProblem } from '../elements/toasts.js';
import { HOME } from '../route.js';
import { sessionStore } from '../session.js';
import { useStore } from '../store.js';
import { nextTheme, theme } from '../theme.js';
import type { Theme } from '../theme.js';
import { showHelp } from './shortcuts.js';

interface FrameProps {
  readonly children?: ComponentChildren;
  /** Of a service: where to go in it. */
  readonly nav?: ComponentChildren;
  /** What has to be seen, wherever one is. */
  readonly banners?: ComponentChildren;
  /** Nobody is signed in. */
  readonly isBare?: boolean;
}

/** What stands around all views. */
export function Frame({ children, nav, banners, isBare = false }: FrameProps): JSX.Element {
  return (
    <div class={nav === undefined ? 'frame' : 'frame with-nav'}>
      <a
        class="skip"
        href="#main"
        onClick={(event) => {
          // What stands behind the `#` is the route.
          event.preventDefault();
          document.getElementById('main')?.focus();
        }}
      >
        Skip to the content
      </a>
      <header class="bar">
        <a class="brand" href={HOME} aria-label="Jobs: all services">
          <Mark />
          <span>Jobs</span>
        </a>
        {nav}
        <Tools isBare={isBare} />
      </header>
      <div class="stage">
        <div class="banners">{banners}</div>
        <main id="main" tabIndex={-1}>
          {children}
        </main>
      </div>
    </div>
  );
}

const THEME_ICONS: Readonly<Record<Theme, IconName>> = { auto: 'auto', light: 'sun', dark: 'moon' };
const THEME_NAMES: Readonly<Record<Theme, string>> = { auto: 'as the system', light: 'light', dark: 'dark' };

function Tools({ isBare }: { readonly isBare: boolean }): JSX.Element {
  const chosen = useStore(theme);
  const known = useStore(sessionStore);
  const session = !isBare && known.state === 'known' ? known.session : undefined;
  // Otherwise the app around sees to that.
  const canSignOut = session !== undefined && session.by !== 'app';
  const colours = `Colours: ${THEME_NAMES[chosen]}`;
  return (
    <div class="tools">
      {session?.readOnly === true ? (
        <span
          class="read-only"
          title="This dashboard was started to be looked at: nothing can be changed with it."
        >
          Read only
        </span>
      ) : null}
      <button
        type="button"
        class="button quiet icon-only"
        aria-label={colours}
        title={colours}
        onClick={nextTheme}
      >
        <Icon name={THEME_ICONS[chosen]} />
      </button>
      {isBare ? null : (
        <>
          <button
            type="button"
            class="button quiet icon-only"
            aria-label="Keyboard shortcuts"
            title="Keyboard shortcuts (?)"
            onClick={showHelp}
          >
            <Icon name="help" />
          </button>
          {canSignOut ? <SignOut /> : null}
        </>
      )}
    </div>
  );
}

function SignOut(): JSX.Element {
  return (
    <button
      type="button"
      class="button quiet icon-only"
      aria-label="Sign out"
      title="Sign out"
      onClick={() => void signOut().catch(tellProblem)}
    >
      <Icon name="leave" />
    </button>
  );
}
