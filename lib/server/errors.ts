/** What can keep the server from starting or from storing. The codes are stable and explained in `docs/reference/errors.md`. */
export type ServerErrorCode =
  | 'OADA_SERVER_OPTIONS'
  | 'OADA_SERVER_LISTEN'
  | 'OADA_SERVER_FOLDER_LOCKED'
  | 'OADA_SERVER_FOLDER_DAMAGED'
  | 'OADA_SERVER_FOLDER_UNUSABLE'
  | 'OADA_SERVER_STOPPED';

/** The embedded server cannot do what it was asked to. */
export class ServerError extends Error {
  override readonly name = 'ServerError';
  readonly code: ServerErrorCode;

  constructor(code: ServerErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** A request that is answered with an error status. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}
