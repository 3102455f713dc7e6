/**
 * The server's progress with a cancel button, and what came of it: vscode-languageclient shows it
 * in the status bar alone, where nothing can be cancelled, and drops how it ended.
 */

export type Value =
  | { readonly kind: "begin"; readonly title: string; readonly cancellable?: boolean }
  | { readonly kind: "report"; readonly message?: string; readonly percentage?: number }
  | { readonly kind: "end"; readonly message?: string };

export interface Shown {
  report(step: { message?: string; increment?: number }): void;
  close(): void;
}

/** Opens a notification; `cancel` is what its button does. */
export type Open = (title: string, cancellable: boolean, cancel: () => void) => Shown;

export class ProgressNotes<Token> {
  private readonly open = new Map<Token, { title: string; shown: Shown; reported: number }>();

  constructor(
    private readonly show: Open,
    private readonly cancel: (token: Token) => void,
    private readonly tell: (outcome: string) => void,
  ) {}

  take(token: Token, value: Value): void {
    switch (value.kind) {
      case "begin": {
        const shown = this.show(value.title, value.cancellable ?? false, () => {
          this.cancel(token);
        });
        this.open.set(token, { title: value.title, shown, reported: 0 });
        break;
      }
      case "report":
        this.report(token, value.message, value.percentage);
        break;
      case "end":
        this.end(token, value.message);
    }
  }

  /** Closes all: the server is gone. */
  clear(): void {
    for (const { shown } of this.open.values()) {
      shown.close();
    }
    this.open.clear();
  }

  private report(token: Token, message: string | undefined, percentage = 0): void {
    const one = this.open.get(token);
    if (one === undefined) {
      return;
    }
    const increment = Math.max(0, Math.min(percentage, 100) - one.reported);
    one.reported += increment;
    one.shown.report({ increment, ...(message === undefined ? {} : { message }) });
  }

  private end(token: Token, message: string | undefined): void {
    const one = this.open.get(token);
    if (one === undefined) {
      return;
    }
    this.open.delete(token);
    one.shown.close();
    if (message) {
      this.tell(`${one.title}: ${message}`);
    }
  }
}
