import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';

import type { Session } from '../../api.js';
import { askSession, messageOf, RequestError, signIn } from '../client.js';
import { Mark } from '../elements/icon.js';
import { TextField } from '../elements/field.js';
import { Frame } from './frame.js';

/** In place of the view, whose address stays: there it goes on. */
export function SignIn({ by }: { readonly by: Session['by'] }): JSX.Element {
  useEffect(() => {
    document.title = 'Sign in · Jobs';
    document.querySelector<HTMLElement>('.sign-in [type=password]')?.focus();
  }, []);
  return (
    <Frame isBare>
      <section class="sign-in" aria-labelledby="sign-in">
        <Mark />
        <h1 id="sign-in">Sign in</h1>
        {by === 'password' ? <PasswordForm /> : <Hint by={by} />}
      </section>
    </Frame>
  );
}

function PasswordForm(): JSX.Element {
  const [password, setPassword] = useState('');
  const [problem, setProblem] = useState<string>();
  const [isBusy, setBusy] = useState(false);
  const submit = async (): Promise<void> => {
    setBusy(true);
    setProblem(undefined);
    try {
      await signIn(password);
    } catch (error) {
      const isWrong = error instanceof RequestError && error.status === 401;
      setProblem(isWrong ? 'That is not the password of this dashboard.' : messageOf(error));
      setBusy(false);
    }
  };
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
    >
      {/* For password managers, which look for a name. */}
      <input type="text" name="username" value="dashboard" autocomplete="username" hidden readOnly />
      <TextField
        label="Password"
        type="password"
        value={password}
        onText={setPassword}
        autocomplete="current-password"
        isRequired
      />
      <p class="form-problem" role="alert">
        {problem}
      </p>
      <button type="submit" class="button primary" disabled={isBusy}>
        {isBusy ? 'Signing in …' : 'Sign in'}
      </button>
    </form>
  );
}

const HINTS: Readonly<Record<'link' | 'app', string>> = {
  link: 'This dashboard lets in whoever opens the address that it printed when it was started. That address works once: start the dashboard again for another one.',
  app: 'The app that this dashboard is a part of has signed you out, or does not let you see it. Sign in there.',
};

function Hint({ by }: { readonly by: keyof typeof HINTS }): JSX.Element {
  return (
    <>
      <p>{HINTS[by]}</p>
      <button type="button" class="button" onClick={() => void askSession()}>
        Try again
      </button>
    </>
  );
}
