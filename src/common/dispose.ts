// Everything that starts has an owner who ends it.

export interface Disposable {
  dispose(): void;
}

/** Ends what it owns in reverse order, once. Adding to an ended owner ends the newcomer at once. */
export class DisposableStore implements Disposable {
  readonly #owned: Disposable[] = [];
  #ended = false;

  add<T extends Disposable>(item: T): T {
    if (this.#ended) item.dispose();
    else this.#owned.push(item);
    return item;
  }

  dispose(): void {
    this.#ended = true;
    for (const item of this.#owned.splice(0).reverse()) item.dispose();
  }
}
