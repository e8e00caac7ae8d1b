/** The media type without its parameters, in lower case. */
function essence(type: string): string {
  return (type.split(';')[0] ?? '').trim().toLowerCase();
}

export function isJsonType(type: string): boolean {
  return /[/+]json$/.test(essence(type));
}

/** The content type of a stored resource: OADA's own types name the JSON schema of their format. */
export function contentTypeOf(type: string): string {
  const named = /^application\/vnd\.([^.]+)\.(.+)\.(\d+)\+json$/.exec(essence(type));
  if (named === null) return type;
  const [, organisation = '', format = '', version = ''] = named;
  const path = [organisation, ...format.split('.'), `v${version}`].join('/');
  return `${type}; schema="https://formats.openag.io/${path}.schema.json"`;
}

/** Does an `Accept` header take what is of this type? JSON of any kind is taken as `application/json` too. */
export function isAccepted(accept: string | undefined, type: string): boolean {
  if (accept === undefined || accept.trim() === '') return true;
  const own = essence(type);
  const names = ['*/*', own, own.replace(/\/.*/, '/*'), ...(isJsonType(own) ? ['application/json'] : [])];
  return accept.split(',').some((range) => names.includes(essence(range)));
}
