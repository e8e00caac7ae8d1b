/** What a dashboard pushes, as a page reads it. */
export class Events {
  readonly response: Response;
  /** All that has come. */
  readonly seen: { readonly name: string; readonly data: unknown }[] = [];
  /** Resolves when nothing more is to come. */
  readonly ended: Promise<void>;
  readonly #ending: AbortController;
  #wake: () => void = () => undefined;
  #isOver = false;
  #error: unknown;

  constructor(response: Response, ending: AbortController) {
    this.response = response;
    this.#ending = ending;
    this.ended = this.#read();
  }

  /** The data of the first event of that name, from the first one on, which fits. */
  async next<T = unknown>(name: string, fits: (data: T) => boolean = () => true): Promise<T> {
    for (let index = 0; ; index++) {
      while (index >= this.seen.length) {
        if (this.#isOver) throw new Error(`There was no such event: ${name}`, { cause: this.#error });
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
      const event = this.seen[index];
      if (event?.name === name && fits(event.data as T)) return event.data as T;
    }
  }

  leave(): void {
    this.#ending.abort();
  }

  async #read(): Promise<void> {
    let text = '';
    try {
      for await (const chunk of this.response.body ?? []) {
        text += Buffer.from(chunk as Uint8Array).toString();
        const events = text.split('\n\n');
        text = events.pop() ?? '';
        for (const event of events) this.#take(event);
      }
    } catch (error) {
      // A server that is stopped ends the connection.
      if (!this.#ending.signal.aborted && !String(error).includes('terminated')) this.#error = error;
    } finally {
      this.#isOver = true;
      this.#wake();
    }
  }

  /** Lines end with a line feed, and with nothing else that may stand in JSON. */
  #take(event: string): void {
    const field = (name: string): string | undefined =>
      event
        .split('\n')
        .find((line) => line.startsWith(`${name}: `))
        ?.slice(name.length + 2);
    const [name, data] = [field('event'), field('data')];
    if (name === undefined || data === undefined) return;
    this.seen.push({ name, data: JSON.parse(data) as unknown });
    this.#wake();
  }
}
