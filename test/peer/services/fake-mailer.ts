/** In place of a mail service: what is sent is printed, on one line. */
export async function send(mail: object): Promise<[{ statusCode: number }, object]> {
  console.log(`sent ${JSON.stringify(mail)}`);
  return [{ statusCode: 202 }, {}];
}
