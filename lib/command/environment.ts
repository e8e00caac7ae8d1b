/**
 * The variables that every command gets: what programs need in order to run, and none that are there to hold secrets.
 * The last rows are those that programs on Windows do not start without.
 */
const USUAL: readonly string[] = [
  ...['PATH', 'HOME', 'USER', 'LOGNAME', 'SHELL', 'TZ', 'TMPDIR', 'TEMP', 'TMP'],
  ...[
    'LANG',
    'LANGUAGE',
    'LC_ALL',
    'LC_COLLATE',
    'LC_CTYPE',
    'LC_MESSAGES',
    'LC_MONETARY',
    'LC_NUMERIC',
    'LC_TIME',
  ],
  ...['SYSTEMROOT', 'SYSTEMDRIVE', 'WINDIR', 'COMSPEC', 'PATHEXT', 'USERPROFILE', 'HOMEDRIVE', 'HOMEPATH'],
  ...[
    'APPDATA',
    'LOCALAPPDATA',
    'PROGRAMDATA',
    'PROGRAMFILES',
    'NUMBER_OF_PROCESSORS',
    'PROCESSOR_ARCHITECTURE',
  ],
];

export interface EnvironmentOptions {
  readonly env: Readonly<Record<string, string>>;
  readonly inheritEnv: readonly string[];
  readonly configInEnv: string | undefined;
}

/**
 * The environment of a job's command. Nothing of this process is in it unasked but the usual: the token of the store
 * often stands in a variable, and a command has no business with it.
 *
 * @param config as JSON
 */
export function environmentOf(
  job: { readonly jobId: string; readonly config: string },
  { env, inheritEnv, configInEnv }: EnvironmentOptions,
  own: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const inherited: Record<string, string> = {};
  for (const name of [...USUAL, ...inheritEnv]) {
    const value = own[name];
    if (value !== undefined) inherited[name] = value;
  }
  return {
    ...inherited,
    JOB_ID: job.jobId,
    ...env,
    ...(configInEnv !== undefined && { [configInEnv]: job.config }),
  };
}
