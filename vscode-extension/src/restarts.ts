/** Starting and stopping one server, whoever asks and however often. */

export interface Server {
  start(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * A queue of at most one act under way and one to come: any number of requests while a restart
 * runs are answered by one more.
 */
export class Restarts {
  private current: Promise<void> = Promise.resolve();
  private next: Promise<void> | undefined;
  private over = false;

  constructor(private readonly server: Server) {}

  /** Resolves once a server that was started after this call runs; rejects when it cannot. */
  restart(): Promise<void> {
    this.next ??= this.current
      .catch(() => undefined)
      .then(() => {
        this.next = undefined;
        this.current = this.act();
        return this.current;
      });
    return this.next;
  }

  /** Stops the server for good. */
  async end(): Promise<void> {
    this.over = true;
    await (this.next ?? this.current).catch(() => undefined);
    await this.server.stop();
  }

  private async act(): Promise<void> {
    await this.server.stop();
    if (!this.over) {
      await this.server.start();
    }
  }
}

/** Says when a server that keeps dying should be left alone. */
export class Crashes {
  private times: number[] = [];

  /**
   * @param most - Crashes after which no restart is worth its while.
   * @param within - Milliseconds in which they count.
   */
  constructor(
    private readonly most = 3,
    private readonly within = 180_000,
    private readonly now: () => number = Date.now,
  ) {}

  /** Notes one; true when the server should be started again. */
  worthARestart(): boolean {
    const now = this.now();
    this.times = [...this.times.filter((time) => now - time < this.within), now];
    return this.times.length <= this.most;
  }

  /** A user's own restart begins a new count. */
  forget(): void {
    this.times = [];
  }
}
