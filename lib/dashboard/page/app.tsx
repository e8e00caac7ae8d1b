import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';

import { askSession } from './client.js';
import { Confirmation } from './elements/dialog.js';
import { Notice } from './elements/notice.js';
import { Toasts } from './elements/toasts.js';
import { Home } from './home/home.js';
import { useRoute } from './router.js';
import { sessionStore } from './session.js';
import { Frame } from './shell/frame.js';
import { LostView } from './shell/lost.js';
import { ServiceFrame } from './shell/service-frame.js';
import { Help, useShortcuts } from './shell/shortcuts.js';
import { SignIn } from './shell/sign-in.js';
import { useStore } from './store.js';

export function App(): JSX.Element {
  const route = useRoute();
  useShortcuts(route);
  return (
    <>
      <Content />
      <Confirmation />
      <Help />
      <Toasts />
    </>
  );
}

function Content(): JSX.Element {
  const known = useStore(sessionStore);
  const route = useRoute();
  useEffect(() => {
    void askSession();
  }, []);
  if (known.state === 'asking') return <Frame isBare />;
  if (known.state === 'unreachable') return <Unreachable message={known.message} />;
  if (!known.session.signedIn) return <SignIn by={known.session.by} />;
  if (route.name === 'service') {
    // With another place, all of it starts anew.
    return <ServiceFrame key={`${route.place.store}/${route.place.service}`} route={route} />;
  }
  return <Frame>{route.name === 'home' ? <Home /> : <LostView />}</Frame>;
}

function Unreachable({ message }: { readonly message: string }): JSX.Element {
  const retry = (
    <button type="button" class="button" onClick={() => void askSession()}>
      Try again
    </button>
  );
  return (
    <Frame isBare>
      <Notice tone="problem" title="There is no answer." action={retry}>
        {message}
      </Notice>
    </Frame>
  );
}
