/** The text without any of the secrets: the tokens of all queues. */
export function hideSecrets(text: string, secrets: ReadonlySet<string>): string {
  let hidden = text;
  for (const secret of secrets) if (secret !== '') hidden = hidden.replaceAll(secret, '[token]');
  return hidden;
}
